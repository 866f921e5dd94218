// Package pods gives the pods on simulated nodes their life: addresses,
// container states, conditions, restarts, completion and deletion.
//
// What a container does follows from its command alone (see ProgramOf). The
// status of a pod is a function of the pod and the time (see next), and holds
// all there is to know, so nothing is lost over a restart. Controller watches
// pods, writes the status that is due, and comes back when time alone will
// change it.
//
// kwok's pod stages are not used: a stage writes one fixed status for the
// whole pod, while commands, exit codes, init containers and restarts need a
// state for each container.
package pods
