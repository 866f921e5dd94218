package repo

import (
	"sync"
	"time"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/settings"
	"github.com/fairlead-cd/fairlead/internal/source"
)

// recently is how long answers are kept that a thousand Applications of one commit ask for one after the other.
const recently = time.Second

// recentAnswers keeps how repositories are reached and which charts were found, for a moment and for one reading of the
// settings. A poll forgets them, so that what it was done with holds for what follows. It is safe for concurrent use.
type recentAnswers struct {
	mu           sync.Mutex
	settings     *settings.Settings
	until        time.Time
	repositories map[repositoryKey]source.Repository
	charts       map[chartKey]render.Chart
}

type repositoryKey struct{ url, project string }

type chartKey struct {
	ref             render.ChartRef
	project         string
	passCredentials bool
}

func (a *recentAnswers) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.settings = nil
}

// renew drops what is no longer recent; a.mu is held.
func (a *recentAnswers) renew(now *settings.Settings) {
	if a.settings == now && time.Now().Before(a.until) {
		return
	}
	a.settings, a.until = now, time.Now().Add(recently)
	a.repositories, a.charts = map[repositoryKey]source.Repository{}, map[chartKey]render.Chart{}
}

// repository is how a repository is reached for a project.
func (l *Local) repository(url, project string) source.Repository {
	key, now := repositoryKey{url, project}, l.Settings.Get()
	l.recent.mu.Lock()
	l.recent.renew(now)
	known, ok := l.recent.repositories[key]
	l.recent.mu.Unlock()
	if ok {
		return known
	}
	found := ToSource(l.Settings.Repository(url, project), project)
	l.recent.mu.Lock()
	defer l.recent.mu.Unlock()
	if l.recent.settings == now {
		l.recent.repositories[key] = found
	}
	return found
}

// chart is the chart for a key, from memory or by find.
func (l *Local) chart(key chartKey, find func() (render.Chart, error)) (render.Chart, error) {
	now := l.Settings.Get()
	l.recent.mu.Lock()
	l.recent.renew(now)
	known, ok := l.recent.charts[key]
	l.recent.mu.Unlock()
	if ok {
		return known, nil
	}
	found, err := find()
	if err != nil {
		return render.Chart{}, err
	}
	l.recent.mu.Lock()
	defer l.recent.mu.Unlock()
	if l.recent.settings == now {
		l.recent.charts[key] = found
	}
	return found, nil
}
