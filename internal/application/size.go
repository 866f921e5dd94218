package application

import (
	"cmp"
	"encoding/json"
	"fmt"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// DefaultSizeLimit is how large the part of an Application may be that the
// controller writes. etcd refuses objects of 1.5 MiB; what users write, and the
// record of who owns which field, come on top.
const DefaultSizeLimit = 512 << 10

// omissionRoom is what the fields take that tell of what is left out.
const omissionRoom = 256

// encoded is the JSON of what the controller writes of an Application. Where
// that would be too large, the long lists of the status are shortened in it:
// what matters least goes first, and what is left out is counted.
func (r *reconciliation) encoded(app *v1alpha1.Application) ([]byte, error) {
	data, err := json.Marshal(writable(app))
	limit := cmp.Or(r.SizeLimit, DefaultSizeLimit)
	if err == nil && len(data) > limit {
		if app, err = shortened(app, len(data), limit, r.mustStay()); err == nil {
			data, err = json.Marshal(writable(app))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("encoding the Application: %w", err)
	}
	return data, nil
}

// mustStay says of what the status is the only record: objects of kinds that
// may not be listed, which are found again by it.
func (r *reconciliation) mustStay() func(*v1alpha1.ResourceStatus) bool {
	if r.destination == nil {
		return func(*v1alpha1.ResourceStatus) bool { return false }
	}
	unlisted := r.unlistedKinds()
	return func(s *v1alpha1.ResourceStatus) bool { return unlisted(s.Group, s.Kind) }
}

// shortened returns an Application, whose encoding has a size, with as much of
// the long lists of its status as the limit permits. The results of hooks stay
// in any case: without them a hook would run again. An object without a result
// is compared, and applied if it differs.
func shortened(app *v1alpha1.Application, size, limit int, mustStay func(*v1alpha1.ResourceStatus) bool) (*v1alpha1.Application, error) {
	out := *app
	status := &out.Status
	resources, err := measured(status.Resources, func(s *v1alpha1.ResourceStatus) int { return rankOfResource(s, mustStay(s)) })
	if err != nil {
		return nil, err
	}
	var made v1alpha1.ResourceResults
	if result := syncResultOf(app); result != nil {
		made = result.Resources
	}
	results, err := measured(made, func(e **v1alpha1.ResourceResult) int { return rankOfResult(*e) })
	if err != nil {
		return nil, err
	}
	room := limit - omissionRoom - (size - resources.total - results.total)
	// Results get what resources leave, and at least half.
	keep, used := results.within(max(room/2, room-resources.total))
	if results.total > used {
		copied := *status.OperationState
		result := *copied.SyncResult
		copied.SyncResult, status.OperationState = &result, &copied
		result.OmittedResources += int64(len(result.Resources) - count(keep))
		result.Resources = only(result.Resources, keep)
	}
	keep, used = resources.within(room - used)
	if resources.total > used {
		var omitted v1alpha1.OmittedResources
		if status.OmittedResources != nil {
			omitted = *status.OmittedResources
		}
		omitted.Count += int64(len(keep) - count(keep))
		for i := range status.Resources {
			if !keep[i] && status.Resources[i].Status != v1alpha1.SyncStatusCodeSynced {
				omitted.OutOfSync++
			}
		}
		status.OmittedResources, status.Resources = &omitted, only(status.Resources, keep)
	}
	return &out, nil
}

// newest are the entries of the history for some room, the newest at least:
// their sources may hold long values.
func newest(history v1alpha1.RevisionHistories, room int) v1alpha1.RevisionHistories {
	for first := len(history) - 1; first >= 0; first-- {
		data, err := json.Marshal(history[first])
		if room -= len(data); err == nil && room < 0 {
			return history[min(first+1, len(history)-1):]
		}
	}
	return history
}

// The ranks of entries, the most important first.
const (
	rankAlways = iota // stays, however large
	rankFault
	rankChange
	rankWell
	ranks
)

// rankOfResource puts first what is not as it should be.
func rankOfResource(s *v1alpha1.ResourceStatus, mustStay bool) int {
	switch {
	case mustStay, s.Status != v1alpha1.SyncStatusCodeSynced, s.RequiresPruning, s.Drift != nil:
		return rankFault
	case s.Health != nil && s.Health.Status != v1alpha1.HealthStatusHealthy:
		return rankChange
	default:
		return rankWell
	}
}

// rankOfResult puts first what a sync cannot find out again, and then what failed.
func rankOfResult(e *v1alpha1.ResourceResult) int {
	switch {
	case e.HookType != "":
		return rankAlways
	case e.Status == v1alpha1.ResultCodeSyncFailed, e.HookPhase == v1alpha1.OperationFailed:
		return rankFault
	case touched(e):
		return rankChange
	default:
		return rankWell
	}
}

// sizes are the encoded sizes of the entries of a list, and their ranks.
type sizes struct {
	of, rank []int
	total    int
}

func measured[T any](list []T, rank func(*T) int) (*sizes, error) {
	s := &sizes{of: make([]int, len(list)), rank: make([]int, len(list))}
	for i := range list {
		data, err := json.Marshal(&list[i])
		if err != nil {
			return nil, err
		}
		s.of[i], s.rank[i] = len(data)+len(","), rank(&list[i])
		s.total += s.of[i]
	}
	return s, nil
}

// within chooses the entries for some room, by rank and then by order, and says
// how much they take.
func (s *sizes) within(room int) (keep []bool, used int) {
	keep = make([]bool, len(s.of))
	for rank := range ranks {
		for i, size := range s.of {
			if s.rank[i] == rank && (rank == rankAlways || used+size <= room) {
				keep[i] = true
				used += size
			}
		}
	}
	return keep, used
}

func count(keep []bool) (n int) {
	for _, kept := range keep {
		if kept {
			n++
		}
	}
	return n
}

// only are the entries of a list that are kept, in its order.
func only[S ~[]T, T any](list S, keep []bool) S {
	out := make(S, 0, count(keep))
	for i := range list {
		if keep[i] {
			out = append(out, list[i])
		}
	}
	return out
}
