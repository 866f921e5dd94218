package helm

import (
	"github.com/fairlead-cd/fairlead/internal/render"
)

// Options are the limits of an Engine; each has a default.
type Options struct {
	// CacheBytes bounds roughly the memory for parsed charts, and as much again that for their templates; default 32 MiB.
	CacheBytes int64
	// Chart bounds the files of one chart, its vendored dependencies included. Default: render.DefaultTreeLimit.
	Chart render.TreeLimit
	// MaxFileBytes bounds one file of an archive, default 16 MiB.
	MaxFileBytes int64
	// MaxOutputBytes bounds what the templates of one chart give together, default 64 MiB.
	MaxOutputBytes int64
}

// Engine renders charts. What it keeps between calls is only what follows from the content of charts alone. It is safe
// for concurrent use.
type Engine struct {
	o         Options
	parsed    *cache[*parsed]
	templates *compiler
}

// New makes an Engine.
func New(o Options) *Engine {
	if o.CacheBytes == 0 {
		o.CacheBytes = 32 << 20
	}
	if o.Chart == (render.TreeLimit{}) {
		o.Chart = render.DefaultTreeLimit
	}
	if o.MaxFileBytes == 0 {
		o.MaxFileBytes = 16 << 20
	}
	if o.MaxOutputBytes == 0 {
		o.MaxOutputBytes = 64 << 20
	}
	return &Engine{o: o, parsed: newCache[*parsed](o.CacheBytes), templates: newCompiler(o.CacheBytes)}
}
