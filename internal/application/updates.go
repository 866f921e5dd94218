package application

import (
	"crypto/sha256"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead-cd/fairlead/internal/cluster"
	"github.com/fairlead-cd/fairlead/internal/compare"
	"github.com/fairlead-cd/fairlead/internal/settings"
)

const (
	// noisyAbove is how many times a minute an object may change before it is
	// looked at less often.
	noisyAbove = 60
	// noisyPause is how long it is then waited after a change.
	noisyPause = 5 * time.Second
	// updateJQTimeout is how long an expression may hold up a watch.
	updateJQTimeout = 100 * time.Millisecond
)

// updates decides which changes of objects are worth a look: those that the
// operator's rules name are not, and those of objects that some controller
// writes all the time are looked at together.
type updates struct {
	settings *settings.Store
	health   func(*unstructured.Unstructured) (status, message string, ok bool)
	logger   *slog.Logger
	now      func() time.Time

	mu    sync.Mutex
	rules *updateRules
	// content is what was last seen of objects that rules concern.
	content map[cluster.Key][sha256.Size]byte
	// minute is when counting began, and counts how often objects changed since.
	minute time.Time
	counts map[cluster.Key]int
	noisy  map[cluster.Key]struct{}
}

// updateRules are the rules of one reading of the settings.
type updateRules struct {
	customizations settings.Customizations
	comparison     settings.Comparison
	set            *compare.RuleSet
	// kinds caches which kinds rules concern.
	kinds map[[2]string]bool
}

// look says whether a change is worth a look, and after which time.
func (u *updates) look(live *cluster.Cluster, change cluster.Change) (after time.Duration, worth bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ignored(live, change.Key) {
		return 0, false
	}
	return u.pause(change.Key), true
}

// pause counts a change, and returns how long to wait before looking.
func (u *updates) pause(key cluster.Key) time.Duration {
	now := u.now()
	if now.Sub(u.minute) >= time.Minute {
		// What was noisy in the minute before stays so while it is counted anew.
		noisy := make(map[cluster.Key]struct{})
		for key, count := range u.counts {
			if count > noisyAbove {
				noisy[key] = struct{}{}
			}
		}
		u.minute, u.counts, u.noisy = now, make(map[cluster.Key]int), noisy
	}
	u.counts[key]++
	_, noisy := u.noisy[key]
	if u.counts[key] == noisyAbove+1 && !noisy {
		noisy = true
		u.noisy[key] = struct{}{}
		u.logger.Info("an object changes many times a minute; it is looked at less often. A rule can ignore such changes (resource.customizations.ignoreResourceUpdates)",
			"object", key.String(), "pause", noisyPause)
	}
	if !noisy {
		return 0
	}
	return noisyPause
}

// noisyObjects returns the objects that change all the time.
func (u *updates) noisyObjects() []cluster.Key {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.now().Sub(u.minute) >= 2*time.Minute {
		return nil // nothing at all has changed since
	}
	keys := make([]cluster.Key, 0, len(u.noisy))
	for key := range u.noisy {
		keys = append(keys, key)
	}
	return keys
}

// ignored says whether a change is one of fields that the rules leave out. The
// health of an object always counts.
func (u *updates) ignored(live *cluster.Cluster, key cluster.Key) bool {
	rules := u.current()
	if !rules.concern(key.Group, key.Kind) {
		return false
	}
	obj, ok := live.Get(key)
	if !ok || !obj.Whole() {
		delete(u.content, key)
		return false
	}
	body := obj.Live()
	stripped, err := rules.set.For(key.Group, key.Kind, key.Namespace, key.Name).Without(body)
	if err != nil {
		return false
	}
	content, err := json.Marshal(stripped.Object)
	if err != nil {
		return false
	}
	sum := sha256.New()
	sum.Write(content)
	if u.health != nil {
		status, message, _ := u.health(body)
		sum.Write([]byte(status + "\x00" + message))
	}
	digest := [sha256.Size]byte(sum.Sum(nil))
	last, known := u.content[key]
	u.content[key] = digest
	return known && last == digest
}

// current returns the rules of the present settings.
func (u *updates) current() *updateRules {
	s := u.settings.Get()
	if r := u.rules; r != nil && len(r.customizations) == len(s.Customizations) &&
		(len(r.customizations) == 0 || &r.customizations[0] == &s.Customizations[0]) && r.comparison == s.Comparison {
		return r
	}
	u.rules, u.content = newUpdateRules(s), make(map[cluster.Key][sha256.Size]byte)
	return u.rules
}

func newUpdateRules(s *settings.Settings) *updateRules {
	r := &updateRules{customizations: s.Customizations, comparison: s.Comparison, kinds: make(map[[2]string]bool)}
	var rules []compare.Rule
	for _, c := range r.customizations {
		for _, fields := range r.fieldsOf(c) {
			rules = append(rules, compare.Rule{
				Group: c.Group.String(), Kind: c.Kind.String(), JSONPointers: fields.JSONPointers, JQPathExpressions: fields.JQPathExpressions,
			})
		}
	}
	// Rules that cannot be used are reported where differences are compared, or leave a change counted.
	r.set, _ = compare.NewRuleSet(rules, nil, compare.RuleOptions{JQTimeout: updateJQTimeout})
	return r
}

// fieldsOf returns the rules of a customization that concern updates.
func (r *updateRules) fieldsOf(c settings.Customization) (out []settings.FieldRules) {
	if !r.comparison.IgnoreUpdates {
		return nil
	}
	if !c.IgnoreResourceUpdates.Empty() {
		out = append(out, c.IgnoreResourceUpdates)
	}
	if r.comparison.IgnoreDifferencesOnUpdates && !c.IgnoreDifferences.Empty() {
		out = append(out, c.IgnoreDifferences)
	}
	return out
}

func (r *updateRules) concern(group, kind string) bool {
	name := [2]string{group, kind}
	concerned, ok := r.kinds[name]
	if !ok {
		for _, c := range r.customizations.For(group, kind) {
			concerned = concerned || len(r.fieldsOf(c)) > 0
		}
		r.kinds[name] = concerned
	}
	return concerned
}
