package ociregistry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// page cuts a list of tags down to the page that was asked for, and links to the next.
func (r *Registry) page(resp *http.Response) error {
	if r.o.PageSize == 0 || resp.StatusCode != http.StatusOK || !strings.HasSuffix(resp.Request.URL.Path, "/tags/list") {
		return nil
	}
	var list struct {
		Name string   `json:"name"`
		Tags []string `json:"tags"`
	}
	err := json.NewDecoder(resp.Body).Decode(&list)
	resp.Body.Close()
	if err != nil {
		return err
	}
	slices.Sort(list.Tags)
	query := resp.Request.URL.Query()
	if last := query.Get("last"); last != "" {
		list.Tags = slices.DeleteFunc(list.Tags, func(tag string) bool { return tag <= last })
	}
	size := r.o.PageSize
	if n, err := strconv.Atoi(query.Get("n")); err == nil && n > 0 {
		size = min(size, n)
	}
	if len(list.Tags) > size {
		list.Tags = list.Tags[:size]
		next := url.Values{"n": {strconv.Itoa(size)}, "last": {list.Tags[size-1]}}
		resp.Header.Set("Link", fmt.Sprintf("<%s?%s>; rel=\"next\"", resp.Request.URL.Path, next.Encode()))
	}
	raw, err := json.Marshal(list)
	resp.Body = io.NopCloser(bytes.NewReader(raw))
	resp.ContentLength = int64(len(raw))
	resp.Header.Set("Content-Length", strconv.Itoa(len(raw)))
	return err
}
