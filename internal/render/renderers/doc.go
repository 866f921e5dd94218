// Package renderers puts together the renderers of all types of sources. It is what a worker process renders with.
package renderers
