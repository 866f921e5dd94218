package plan

import "strings"

// Effect says in a few words what a step does beside writing its object:
// whether it restarts pods, or loses data. It is empty for a step that does
// neither.
func (s Step) Effect() string {
	var effects []string
	if s.Replaces() {
		effects = append(effects, "deletes and creates anew")
	}
	if s.RestartsPods() {
		effects = append(effects, "restarts pods")
	}
	if s.LosesData() {
		effects = append(effects, "can lose data")
	}
	return strings.Join(effects, ", ")
}

// Replaces says that the object is deleted and made anew in any case.
func (s Step) Replaces() bool {
	return s.Action == Change && s.Options.Replace && s.Options.Force
}

// RestartsPods says that the step changes the pods of a workload, and so makes
// its controller replace them.
func (s Step) RestartsPods() bool {
	if !workloads[s.Group+"/"+s.Kind] || s.Action == Create || s.Action == Run {
		return false
	}
	if s.Action == Prune || s.Replaces() {
		return true
	}
	for _, field := range s.Fields {
		if strings.HasPrefix(strings.TrimPrefix(field, "."), "spec.template") {
			return true
		}
	}
	return false
}

// LosesData says that the step deletes an object that holds data, or whose
// deletion takes others with it that do.
func (s Step) LosesData() bool {
	return (s.Action == Prune || s.Replaces()) && HoldsData(s.Group, s.Kind)
}

// HoldsData says whether the deletion of an object of a kind can lose data.
func HoldsData(group, kind string) bool { return holders[group+"/"+kind] }

var workloads = map[string]bool{
	"apps/Deployment": true, "apps/StatefulSet": true, "apps/DaemonSet": true, "apps/ReplicaSet": true,
	"/ReplicationController": true, "/Pod": true, "argoproj.io/Rollout": true,
}

var holders = map[string]bool{
	"/Namespace": true, "/PersistentVolume": true, "/PersistentVolumeClaim": true, "apps/StatefulSet": true,
	"apiextensions.k8s.io/CustomResourceDefinition": true, "snapshot.storage.k8s.io/VolumeSnapshot": true,
}
