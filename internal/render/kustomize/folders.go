package kustomize

import (
	"bytes"
	"errors"
	"fmt"
	"path"

	"sigs.k8s.io/kustomize/api/types"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// folders prepares the resources and components of a kustomization.
func (r rewriter) folders(k *types.Kustomization) error {
	for i, entry := range k.Resources {
		rewritten, err := r.resource("resources", entry, false)
		if err != nil {
			return err
		}
		k.Resources[i] = rewritten
	}
	for i, entry := range k.Components {
		rewritten, err := r.resource("components", entry, true)
		if err != nil {
			return err
		}
		k.Components[i] = rewritten
	}
	return nil
}

// resource rewrites an entry that is a file, a folder or a URL of either.
func (r rewriter) resource(field, entry string, folderOnly bool) (string, error) {
	target, err := r.resolve(entry, folderOnly)
	if err != nil {
		return "", r.errorf(field, err)
	}
	if target.file {
		r.fs.resources[target.virtual] = true
	}
	return r.at(target.virtual), nil
}

// target is what an entry leads to.
type target struct {
	virtual string
	file    bool
}

// resolve finds out what an entry is, and prepares it.
func (r rewriter) resolve(entry string, folderOnly bool) (target, error) {
	var notFile error
	if isHTTP(entry) && !folderOnly && kindOf(entry) != remoteRepository {
		virtual, err := r.download(entry)
		if err == nil && (kindOf(entry) == remoteFile || isManifest(r.fs.ours[virtual])) {
			return target{virtual: virtual, file: true}, nil
		}
		if err != nil && kindOf(entry) == remoteFile {
			return target{}, err
		}
		notFile = err
	}
	u, remote, err := parseGit(entry)
	if err != nil {
		return target{}, err
	}
	if remote {
		virtual, err := r.repository(u)
		if err != nil {
			return target{}, errors.Join(err, notFile)
		}
		return target{virtual: virtual}, nil
	}
	if notFile != nil {
		return target{}, notFile
	}
	name, info, err := r.locate(entry)
	if err != nil {
		return target{}, err
	}
	if !info.IsDir() {
		if folderOnly {
			return target{}, fmt.Errorf("%s is a file, and a folder is wanted", entry)
		}
		if isKustomization(path.Base(name)) {
			return target{}, fmt.Errorf("%s is a kustomization; name its folder", entry)
		}
		if err := r.restrict(entry, name); err != nil {
			return target{}, err
		}
		return target{virtual: r.mount.virtual(name), file: true}, nil
	}
	m := r.inherit(r.mount)
	if err := r.preparer.folder(m, name, nil); err != nil {
		return target{}, err
	}
	return target{virtual: m.virtual(name)}, nil
}

// inherit gives the mount at which a folder of a repository is built below this kustomization. Charts take over the
// namespace of the kustomizations above them, so with charts a folder may have to be there once for each namespace.
func (r rewriter) inherit(m *mount) *mount {
	if !r.options.helm || m.namespace == r.namespace {
		return m
	}
	for _, other := range r.fs.mounts {
		if other.url == m.url && other.revision == m.revision && other.namespace == r.namespace {
			return other
		}
	}
	return r.fs.add(mount{fsys: m.fsys, url: m.url, revision: m.revision, via: m.via, namespace: r.namespace})
}

// repository prepares a folder of a remote repository.
func (r rewriter) repository(u gitURL) (string, error) {
	var m *mount
	for _, other := range r.fs.mounts {
		if other.url == u.repository && other.revision == u.revision {
			m = other
			break
		}
	}
	if m == nil {
		if len(r.fs.mounts) >= maxMounts {
			return "", fmt.Errorf("%w: more than %d remote repositories", render.ErrTooLarge, maxMounts)
		}
		fsys, err := r.external.Repository(r.ctx, u.repository, u.revision)
		if err != nil {
			return "", fmt.Errorf("remote base %s: %w", withoutUser(u.repository), err)
		}
		m = r.fs.add(mount{fsys: fsys, url: u.repository, revision: u.revision, via: r.mount.source(r.file)})
	}
	m = r.inherit(m)
	name, info, err := follow(m.fsys, u.folder)
	if err != nil {
		return "", fmt.Errorf("remote base %s: %w", m.display(u.folder), err)
	}
	if !info.IsDir() {
		return "", fmt.Errorf("remote base %s: it is a file, and a folder is wanted", m.display(u.folder))
	}
	if err := r.preparer.folder(m, name, nil); err != nil {
		return "", err
	}
	return m.virtual(name), nil
}

// download gives the virtual path of a file that is fetched by HTTP.
func (r rewriter) download(entry string) (string, error) {
	dir := r.mount.virtual(r.dir)
	key := dir + " " + entry
	if virtual, ok := r.downloads[key]; ok {
		return virtual, nil
	}
	content, err := r.external.Download(r.ctx, entry)
	if err != nil {
		return "", fmt.Errorf("remote file %s: %w", withoutUser(entry), err)
	}
	if err := r.fs.count(withoutUser(entry), len(content)); err != nil {
		return "", err
	}
	if r.fs.decrypt != nil {
		if content, err = r.fs.decrypt(r.ctx, r.fs.in, withoutUser(entry), content); err != nil {
			return "", err
		}
	}
	virtual := r.number(r.mount, r.dir, path.Base(entry), withoutUser(entry), content)
	r.fs.via[virtual] = r.mount.source(r.file)
	r.downloads[key] = virtual
	return virtual, nil
}

// isManifest reports whether a download is what a list of resources can have, and not a page about a repository.
func isManifest(content []byte) bool {
	trimmed := bytes.TrimSpace(content)
	return !bytes.HasPrefix(trimmed, []byte("<")) && bytes.Contains(trimmed, []byte("kind"))
}
