// Package registry reads from OCI registries: tags, manifests and blobs.
//
// A Client belongs to one repository description, which names a registry and a folder in it, and has that description's
// credentials; they are sent to that registry, and to the token service that it names, alone. It logs in by basic
// authentication or by tokens, whichever the registry asks for. Every answer is bounded and verified against its digest.
package registry
