package server

import (
	"embed"
	"io/fs"
	"net/http"
	"path"
)

//go:embed page
var pageFiles embed.FS

// page serves the files of the page. They are part of the binary and change with it, so browsers ask each time.
func (s *Server) page() http.Handler {
	files, err := fs.Sub(pageFiles, "page")
	if err != nil {
		panic(err) // the folder is compiled in
	}
	serve := http.FileServerFS(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "only GET is known here", http.StatusMethodNotAllowed)
			return
		}
		w.Header().Set("Cache-Control", "no-cache")
		name := path.Clean(r.URL.Path)
		if _, err := fs.Stat(files, name[1:]); name != "/" && err != nil {
			http.NotFound(w, r)
			return
		}
		serve.ServeHTTP(w, r)
	})
}
