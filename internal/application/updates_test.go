package application

import (
	"log/slog"
	"testing"
	"time"

	"github.com/fairlead-cd/fairlead/internal/cluster"
	"github.com/fairlead-cd/fairlead/internal/settings"
)

func TestNoisyObjectsAreLookedAtLessOften(t *testing.T) {
	now := time.Unix(0, 0)
	u := &updates{logger: slog.New(slog.DiscardHandler), now: func() time.Time { return now }}
	noisy, calm := cluster.Key{Kind: "ConfigMap", Name: "noisy"}, cluster.Key{Kind: "ConfigMap", Name: "calm"}
	for range noisyAbove {
		if pause := u.pause(noisy); pause != 0 {
			t.Fatalf("paused by %s before it is noisy", pause)
		}
	}
	if u.pause(noisy) != noisyPause || u.pause(calm) != 0 {
		t.Error("the noisy one is not paused, or the calm one is")
	}
	if keys := u.noisyObjects(); len(keys) != 1 || keys[0] != noisy {
		t.Errorf("noisy are %v", keys)
	}
	now = now.Add(time.Minute)
	if u.pause(noisy) != noisyPause {
		t.Error("it is forgotten at once")
	}
	now = now.Add(time.Minute)
	if u.pause(noisy) != 0 || len(u.noisyObjects()) != 0 {
		t.Error("it is still noisy after a calm minute")
	}
}

func TestRulesAboutUpdates(t *testing.T) {
	for sentence, test := range map[string]struct {
		config    map[string]string
		concerned bool
	}{
		"nothing is set":                        {nil, false},
		"a rule for the kind":                   {map[string]string{"resource.customizations.ignoreResourceUpdates.apps_Deployment": "jsonPointers: [/status]"}, true},
		"a rule for another kind":               {map[string]string{"resource.customizations.ignoreResourceUpdates.apps_StatefulSet": "jsonPointers: [/status]"}, false},
		"a rule for all":                        {map[string]string{"resource.customizations.ignoreResourceUpdates.all": "jsonPointers: [/status]"}, true},
		"a rule about differences counts, too":  {map[string]string{"resource.customizations.ignoreDifferences.apps_Deployment": "jsonPointers: [/spec]"}, true},
		"unless that is switched off":           {map[string]string{"resource.customizations.ignoreDifferences.apps_Deployment": "jsonPointers: [/spec]", "resource.compareoptions": "ignoreDifferencesOnResourceUpdates: false"}, false},
		"a rule while all of them are disabled": {map[string]string{"resource.customizations.ignoreResourceUpdates.all": "jsonPointers: [/status]", "resource.ignoreResourceUpdatesEnabled": "false"}, false},
	} {
		t.Run(sentence, func(t *testing.T) {
			rules := newUpdateRules(settings.Parse(settings.Input{ConfigMaps: map[string]map[string]string{settings.ConfigMapName: test.config}}, nil, nil))
			if got := rules.concern("apps", "Deployment"); got != test.concerned {
				t.Errorf("concerned %v", got)
			}
		})
	}
}
