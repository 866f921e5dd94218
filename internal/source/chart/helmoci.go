package chart

import (
	"context"
	"net/url"
	"strings"

	"github.com/fairlead-cd/fairlead/internal/source"
	"github.com/fairlead-cd/fairlead/internal/source/registry"
)

// An index may name archives in a registry: oci://host/folder/chart:tag.

// locateInRegistry reads the manifest that an index points to.
func (h *helm) locateInRegistry(ctx context.Context, name string, at location) (location, error) {
	folder, tag := at.URL, tagOf(at.Version)
	slash, colon := strings.LastIndex(folder, "/"), strings.LastIndex(folder, ":")
	if colon > slash {
		folder, tag = folder[:colon], folder[colon+1:]
	}
	client, err := h.registry(folder)
	if err != nil {
		return location{}, err
	}
	found, err := h.s.locateTag(ctx, h.r, client, "", tag)
	if err != nil {
		return location{}, err
	}
	if at.Digest != "" && at.Digest != found.Digest {
		return location{}, h.r.repo.Failure(source.ErrDamaged, nil,
			"the registry's archive of chart %s %s has the digest %s, the index says %s", name, at.Version, found.Digest, at.Digest)
	}
	return location{Version: at.Version, Digest: found.Digest, Size: found.Size, URL: folder}, nil
}

func (h *helm) fetchFromRegistry(ctx context.Context, _ string, at location) ([]byte, error) {
	client, err := h.registry(at.URL)
	if err != nil {
		return nil, err
	}
	return h.s.fetchBlob(ctx, h.r, client, "", at)
}

// registry is a client for a folder of a registry. The repository's credentials go along only when they are to be
// passed to other servers.
func (h *helm) registry(folder string) (*registry.Client, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c, ok := h.registries[folder]; ok {
		return c, nil
	}
	repo := h.r.repo
	repo.URL, repo.OCI = folder, true
	own, err := url.Parse(h.r.repo.URL)
	plain := err == nil && own.Scheme == "http"
	if !repo.PassCredentials || plain && !repo.PlainHTTP {
		repo.Username, repo.Password, repo.BearerToken = "", "", ""
		repo.TLSClientCert, repo.TLSClientKey = nil, nil
	}
	c, err := registry.New(repo, h.s.o.Env, h.s.o.Silence)
	if err != nil {
		return nil, err
	}
	if len(h.registries) >= maxLists {
		for _, old := range h.registries {
			old.Close()
		}
		clear(h.registries)
	}
	h.registries[folder] = c
	return c, nil
}
