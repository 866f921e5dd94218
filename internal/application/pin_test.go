package application

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/repo"
)

func TestPinOf(t *testing.T) {
	now, then := v1alpha1.ApplicationSource{RepoURL: "https://git.example.com/a.git", Path: "now"}, v1alpha1.ApplicationSource{Path: "then"}
	several := func(app *v1alpha1.Application) { app.Spec.Sources = v1alpha1.ApplicationSources{now, now} }
	for name, test := range map[string]struct {
		pin       string
		change    func(*v1alpha1.Application)
		source    v1alpha1.ApplicationSource
		revisions []string
		fault     string
	}{
		"none":                              {pin: ""},
		"a revision":                        {pin: " v1.2 ", source: now, revisions: []string{"v1.2"}},
		"an id of the history":              {pin: "3", source: then, revisions: []string{"c3"}},
		"an id that is gone":                {pin: "2", fault: "no entry with this id"},
		"a commit that looks like a number": {pin: "1234567", source: now, revisions: []string{"1234567"}},
		"revisions of several sources":      {pin: "v1, v2", change: several, source: now, revisions: []string{"v1", "v2"}},
		"an id of several sources":          {pin: "4", change: several, source: then, revisions: []string{"a", "b"}},
		"too few revisions":                 {pin: "v1", change: several, fault: "1 revisions for 2 sources"},
	} {
		t.Run(name, func(t *testing.T) {
			app := &v1alpha1.Application{}
			app.Spec.Source = &now
			app.Annotations = map[string]string{v1alpha1.AnnotationPin: test.pin}
			app.Status.History = v1alpha1.RevisionHistories{
				{ID: 3, Source: then, Revision: "c3"}, {ID: 4, Sources: v1alpha1.ApplicationSources{then, then}, Revisions: []string{"a", "b"}},
			}
			if test.change != nil {
				test.change(app)
			}
			p, err := pinOf(app)
			switch {
			case test.fault != "":
				if err == nil || !strings.Contains(err.Error(), test.fault) {
					t.Errorf("%v, want %s", err, test.fault)
				}
			case err != nil:
				t.Error(err)
			case len(test.revisions) == 0:
				if p != nil {
					t.Errorf("%+v", p)
				}
			case !slices.Equal(p.at.revisions, test.revisions) || p.at.sources[0].Path != test.source.Path:
				t.Errorf("%+v", p.at)
			}
		})
	}
}

func TestWhatAPinKeepsOut(t *testing.T) {
	full := strings.Repeat("0123456789", 4)
	target := &desired{sources: []renderedSource{{revision: full}}}
	blamed := &repo.SourceError{Revision: full[:7], Err: errors.New("no such file")}
	for name, test := range map[string]struct {
		target *desired
		err    error
		want   string
		same   bool // as the target now
	}{
		"what renders":               {target, nil, full, true},
		"what does not":              {nil, blamed, full[:7], true},
		"what cannot be resolved":    {nil, &repo.SourceError{Err: errors.New("no such branch")}, unrendered, false},
		"the second of some sources": {nil, &repo.SourceError{Index: 1, Revision: "abc", Err: errors.New("no such file")}, unrendered, false},
	} {
		t.Run(name, func(t *testing.T) {
			got := revisionsOf(test.target, test.err)
			if got != test.want || sameRevisions(got, target) != test.same {
				t.Errorf("%q, the same: %t", got, sameRevisions(got, target))
			}
		})
	}
	p := &pin{by: "jane", why: "it broke", keepsOut: full}
	if got, want := p.message(target), "pinned to 0123456 by jane (it broke); it keeps out 0123456 until a commit changes that"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
