package source

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
)

// modulesFile says where the submodules of a repository come from.
const modulesFile = ".gitmodules"

// maxModuleDepth bounds submodules in submodules.
const maxModuleDepth = 10

// ModuleID is the identity of a submodule's folder: the commit that the repository records for it, and the URL that
// .gitmodules gives, as it stands there.
type ModuleID struct {
	Commit ObjectID
	URL    string
}

// Identity is the id as a string. Equal identities mean equal content.
func (id ModuleID) Identity() string { return "module\x00" + id.Commit.Identity() + id.URL }

// moduleURL is what .gitmodules says of a submodule's folder; empty when it says nothing.
func (s *Snapshot) moduleURL(name string) (string, error) {
	s.modulesOnce.Do(func() { s.modules, s.modulesErr = s.readModules() })
	return s.modules[name], s.modulesErr
}

func (s *Snapshot) readModules() (map[string]string, error) {
	raw, err := s.topFile(modulesFile)
	if err != nil || raw == nil {
		return nil, err
	}
	settings, err := parseConfig(raw)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", modulesFile, err)
	}
	return modulesOf(settings), nil
}

// modulesOf maps the folders of submodules to URLs. Of settings that occur twice the last counts, as for git.
func modulesOf(settings []setting) map[string]string {
	folders, urls := map[string]string{}, map[string]string{}
	for _, one := range settings {
		if one.section != "submodule" || one.subsection == "" {
			continue
		}
		switch one.key {
		case "path":
			folders[one.subsection] = path.Clean(one.value)
		case "url":
			urls[one.subsection] = one.value
		}
	}
	modules := map[string]string{}
	for name, folder := range folders {
		if url := urls[name]; url != "" {
			modules[folder] = url
		}
	}
	return modules
}

// topFile reads a small file at the top of the repository; nil when there is none, or something else of that name.
func (s *Snapshot) topFile(name string) ([]byte, error) {
	e, ok := s.top.find(name)
	if !ok || e.mode != modeFile && e.mode != modeExec && e.mode != modeGroup {
		return nil, nil
	}
	raw, err := s.blob(e.id, maxConfig)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return raw, nil
}

// enter gives the files of the submodule in a folder, fetched when they must be; nil when submodules are switched off.
func (s *Snapshot) enter(name string, commit ObjectID) (*Snapshot, error) {
	if s.mirror.all.o.WithoutSubmodules {
		return nil, nil
	}
	s.mu.Lock()
	sub := s.entered[name]
	s.mu.Unlock()
	if sub != nil {
		return sub, nil
	}
	sub, err := s.openModule(s.mirror.all.ctx, name, commit)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrSubmodule, name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entered == nil {
		s.entered = map[string]*Snapshot{}
	}
	s.entered[name] = sub
	return sub, nil
}

func (s *Snapshot) openModule(ctx context.Context, name string, commit ObjectID) (*Snapshot, error) {
	if s.depth >= maxModuleDepth {
		return nil, fmt.Errorf("submodules are nested more than %d deep", maxModuleDepth)
	}
	raw, err := s.moduleURL(name)
	switch {
	case err != nil:
		return nil, err
	case raw == "":
		return nil, fmt.Errorf("%s has no URL for it", modulesFile)
	}
	all := s.mirror.all
	repo, err := all.moduleRepository(ctx, s.repo, raw)
	if err != nil {
		return nil, err
	}
	sub, err := all.Snapshot(ctx, repo, commit.String())
	if err != nil {
		return nil, err
	}
	sub.depth = s.depth + 1
	return sub, nil
}

// moduleRepository says how to reach the repository of a submodule: with the credentials that the caller's lookup gives
// for its URL, and none of the parent's. A path of this machine is none of a remote repository's business.
func (m *Mirrors) moduleRepository(ctx context.Context, parent Repository, raw string) (Repository, error) {
	address, err := moduleAddress(parent, raw)
	if err != nil {
		return Repository{}, err
	}
	stated, err := Repository{URL: address, Project: parent.Project}.normalize()
	if err != nil {
		return Repository{}, Repository{URL: address}.invalid(err)
	}
	if stated.scheme() == "oci" {
		return Repository{}, stated.fail(ErrInvalidRepository, nil, "a registry is no git repository")
	}
	if stated.scheme() == "file" && parent.scheme() != "file" {
		return Repository{}, stated.fail(ErrInvalidRepository, nil, "a repository elsewhere cannot have a submodule on this machine")
	}
	repo := stated
	if m.o.Credentials != nil {
		if repo, err = m.o.Credentials(ctx, parent, stated.withUser()); err != nil {
			return Repository{}, stated.fail(ErrAuthentication, err, "looking for its credentials: %v", err)
		}
		repo.URL = stated.URL
		if repo.Username == "" && repo.Password == "" {
			repo.Username, repo.Password = stated.Username, stated.Password
		}
	}
	repo.EnableLFS = repo.EnableLFS || parent.EnableLFS
	return repo, nil
}

// moduleAddress is the URL of a submodule. One that begins with ./ or ../ is relative to the parent's, as if that were
// a folder.
func moduleAddress(parent Repository, raw string) (string, error) {
	if strings.HasPrefix(raw, "/") {
		if parent.scheme() != "file" {
			return "", errors.New("its URL is a path of this machine")
		}
		return "file://" + raw, nil
	}
	if !strings.HasPrefix(raw, "./") && !strings.HasPrefix(raw, "../") {
		return raw, nil
	}
	base := parent.withUser()
	head, folder, ok := strings.Cut(base, "://")
	if ok {
		host, rest, _ := strings.Cut(folder, "/")
		head, folder = head+"://"+host+"/", rest
	} else {
		host, rest, _ := strings.Cut(base, ":")
		head, folder = host+":", rest
	}
	parts := strings.Split(folder, "/")
	rest := raw
	for {
		if after, ok := strings.CutPrefix(rest, "./"); ok {
			rest = after
			continue
		}
		after, ok := strings.CutPrefix(rest, "../")
		if !ok {
			break
		}
		if len(parts) == 0 {
			return "", errors.New("its relative URL leads out of the server")
		}
		parts, rest = parts[:len(parts)-1], after
	}
	if rest == ".." || strings.Contains("/"+rest+"/", "/../") {
		return "", errors.New("its relative URL goes back and forth")
	}
	return head + strings.Join(append(parts, rest), "/"), nil
}
