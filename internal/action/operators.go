package action

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	kedaPaused         = "autoscaling.keda.sh/paused"
	kedaPausedReplicas = "autoscaling.keda.sh/paused-replicas"
	cnpgLoop           = "cnpg.io/reconciliationLoop"
	cnpgHibernation    = "cnpg.io/hibernation"
)

func operators() map[string][]builtin {
	forceSync := stamping(unix, "metadata", "annotations", "force-sync")
	kedaPause := builtin{name: "pause", icon: iconPause, disabled: kedaHalted, run: annotation(kedaPaused, "true")}
	kedaResume := builtin{name: "resume", icon: iconPlay, disabled: func(o object) bool { return !kedaHalted(o) }, run: without(kedaPaused, kedaPausedReplicas)}
	return map[string][]builtin{
		"external-secrets.io/ExternalSecret": {{name: "refresh", icon: iconRefresh, run: forceSync}},
		"external-secrets.io/PushSecret":     {{name: "push", icon: iconRefresh, run: forceSync}},
		"keda.sh/ScaledJob":                  {kedaPause, kedaResume},
		"keda.sh/ScaledObject": {kedaPause, kedaResume,
			{name: "paused-replicas", display: "Pause With Replicas", icon: iconPause, params: []string{"replicas"}, run: func(r request) ([]Change, error) {
				n, err := r.replicas()
				if err != nil {
					return nil, err
				}
				return annotation(kedaPausedReplicas, fmt.Sprint(n))(r)
			}}},
		"core.strimzi.io/StrimziPodSet": {{name: "rolling-update", display: "Rolling Update", icon: iconRestart, run: annotation("strimzi.io/manual-rolling-update", "true")}},
		"k8s.mariadb.com/MariaDB": {
			{name: "suspend", icon: iconPause, disabled: on("spec", "suspend"), run: setting(true, "spec", "suspend")},
			{name: "resume", icon: iconPlay, disabled: off("spec", "suspend"), run: setting(false, "spec", "suspend")},
		},
		"psmdb.percona.com/PerconaServerMongoDB": {{name: "unpause", icon: iconPlay, disabled: off("spec", "pause"), run: setting(false, "spec", "pause")}},
		"postgresql.cnpg.io/Cluster": {
			{name: "restart", icon: iconRestart, run: stamping(rfc3339, "metadata", "annotations", "kubectl.kubernetes.io/restartedAt")},
			{name: "reload", icon: iconRefresh, run: stamping(rfc3339, "metadata", "annotations", "cnpg.io/reloadedAt")},
			{name: "promote", icon: "fa fa-fw fa-arrow-up", params: []string{"instance"}, run: promote},
			{name: "suspend", icon: iconPause, disabled: annotated(cnpgLoop, "disabled"), run: annotation(cnpgLoop, "disabled")},
			{name: "resume", icon: iconPlay, disabled: not(annotated(cnpgLoop, "disabled")), run: without(cnpgLoop)},
			{name: "hibernate", icon: "fa fa-fw fa-moon", disabled: annotated(cnpgHibernation, "on"), run: annotation(cnpgHibernation, "on")},
			{name: "rehydrate", icon: "fa fa-fw fa-sun", disabled: not(annotated(cnpgHibernation, "on")), run: annotation(cnpgHibernation, "off")},
		},
	}
}

func kedaHalted(o object) bool {
	return o.text("metadata", "annotations", kedaPaused) == "true" || o.text("metadata", "annotations", kedaPausedReplicas) != ""
}

func annotated(key, value string) func(object) bool {
	return func(o object) bool { return o.text("metadata", "annotations", key) == value }
}

func not(f func(object) bool) func(object) bool { return func(o object) bool { return !f(o) } }

func annotation(key, value string) func(request) ([]Change, error) {
	return setting(value, "metadata", "annotations", key)
}

func without(keys ...string) func(request) ([]Change, error) {
	return func(r request) ([]Change, error) {
		for _, key := range keys {
			unstructured.RemoveNestedField(r.obj.Object, "metadata", "annotations", key)
		}
		return r.patch(), nil
	}
}

// promote makes an instance the primary, as the operator's own command does. The instance is given by its name or by
// its number; without one the first that is not the primary is taken.
func promote(r request) ([]Change, error) {
	o := object(r.obj.Object)
	primary := o.text("status", "currentPrimary")
	list, _ := o.at("status", "instanceNames").([]any)
	wanted := r.params["instance"]
	i := slices.IndexFunc(list, func(item any) bool {
		name, _ := item.(string)
		if wanted == "" {
			return name != primary
		}
		return name == wanted || name == r.obj.GetName()+"-"+wanted
	})
	if i < 0 {
		return nil, fmt.Errorf("the cluster %s has no instance %q to promote; it has %v", r.obj.GetName(), wanted, list)
	}
	target, _ := list[i].(string)
	if target == primary {
		return nil, fmt.Errorf("%s is the primary already", target)
	}
	for field, value := range map[string]string{
		"targetPrimary": target, "targetPrimaryTimestamp": r.now.Format("2006-01-02T15:04:05.000000Z"),
		"phase": "Switchover in progress", "phaseReason": "Switching over to " + target,
	} {
		if err := r.set(value, "status", field); err != nil {
			return nil, err
		}
	}
	return r.patch(), nil
}
