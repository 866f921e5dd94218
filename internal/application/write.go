package application

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// fieldManager is the name under which the controller writes Applications.
const fieldManager = "fairlead"

// write sends what the reconciliation changed in the Application, and nothing
// else. Without a change nothing is sent.
func (r *reconciliation) write(ctx context.Context) error {
	for {
		patch, err := r.patch()
		if err != nil || patch == nil {
			return err
		}
		written, err := r.Client.Applications(r.key.Namespace).Patch(ctx, r.key.Name, types.MergePatchType, patch,
			metav1.PatchOptions{FieldManager: fieldManager})
		switch {
		case err == nil:
			r.Metrics.statusWritten()
			r.tell()
			r.adopt(written)
			return nil
		case apierrors.IsNotFound(err):
			return nil // deleted meanwhile
		case apierrors.IsConflict(err):
			if err := r.rebase(ctx); err != nil {
				return err
			}
		default:
			return fmt.Errorf("writing the status of the Application: %w", err)
		}
	}
}

// adopt goes on with the Application as the API server has it by now, and with
// what of the status it leaves out.
func (r *reconciliation) adopt(stored *v1alpha1.Application) {
	if shortens(stored) {
		r.memory.full.Store(&fullStatus{stored: stored, status: r.app.Status})
	} else {
		r.memory.full.Store(nil)
	}
	r.memory.latest = stored
	r.base, r.read = stored, r.memory.full.Load().complete(stored)
	r.app = copyOf(r.read)
}

// interruptedWrite is how long a reconcile that was ended may take to write
// what it did.
const interruptedWrite = 5 * time.Second

// writeInterrupted writes what a reconcile did before it was ended.
func (r *reconciliation) writeInterrupted(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), interruptedWrite)
	defer cancel()
	return r.write(ctx)
}

// patch returns the merge patch from what was read to what is to be, or nil.
func (r *reconciliation) patch() ([]byte, error) {
	if r.unchanged() {
		return nil, nil // the usual case after a commit, and cheaper to see than to encode
	}
	before, err := json.Marshal(writable(r.base))
	if err != nil {
		return nil, fmt.Errorf("encoding the Application: %w", err)
	}
	after, err := r.encoded(r.app)
	if err != nil {
		return nil, err
	}
	patch, err := jsonpatch.CreateMergePatch(before, after)
	if err != nil {
		return nil, fmt.Errorf("computing the patch of the Application: %w", err)
	}
	if string(patch) == "{}" {
		r.adopt(r.base) // what changed is left out
		return nil, nil
	}
	if !r.needsPrecondition() {
		return patch, nil
	}
	var fields map[string]any
	if err := json.Unmarshal(patch, &fields); err != nil {
		return nil, fmt.Errorf("computing the patch of the Application: %w", err)
	}
	metadata, _ := fields["metadata"].(map[string]any)
	if metadata == nil {
		metadata = make(map[string]any)
		fields["metadata"] = metadata
	}
	metadata["resourceVersion"] = r.read.ResourceVersion
	return json.Marshal(fields)
}

// unchanged says that there is nothing to write.
func (r *reconciliation) unchanged() bool {
	return sameStatus(r.read.Status, r.app.Status) &&
		equality.Semantic.DeepEqual(r.read.Operation, r.app.Operation) &&
		maps.Equal(r.read.Annotations, r.app.Annotations) &&
		slices.Equal(r.read.Finalizers, r.app.Finalizers)
}

// needsPrecondition says whether the write decides over something that a user
// may have written meanwhile: the operation, the finalizers, the phase.
func (r *reconciliation) needsPrecondition() bool {
	return !equality.Semantic.DeepEqual(r.read.Operation, r.app.Operation) ||
		len(r.read.Finalizers) != len(r.app.Finalizers) ||
		(r.read.Status.OperationState != nil && !r.read.Status.OperationState.Phase.Completed())
}

// writable is the part of an Application that the controller writes.
func writable(app *v1alpha1.Application) any {
	return struct {
		Metadata struct {
			Annotations map[string]string `json:"annotations,omitempty"`
			Finalizers  []string          `json:"finalizers,omitempty"`
		} `json:"metadata"`
		Operation *v1alpha1.Operation        `json:"operation,omitempty"`
		Status    v1alpha1.ApplicationStatus `json:"status"`
	}{
		Metadata: struct {
			Annotations map[string]string `json:"annotations,omitempty"`
			Finalizers  []string          `json:"finalizers,omitempty"`
		}{app.Annotations, app.Finalizers},
		Operation: app.Operation,
		Status:    app.Status,
	}
}

// rebase reads the Application anew after a conflict. What the reconciliation
// found stays; an operation that a user replaced or stopped meanwhile wins over
// what we know of the old one.
func (r *reconciliation) rebase(ctx context.Context) error {
	latest, err := r.Client.Applications(r.key.Namespace).Get(ctx, r.key.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		r.app = r.read
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the Application again: %w", err)
	}
	if latest.UID != r.read.UID {
		return fmt.Errorf("the Application was replaced by another of the same name")
	}
	next := latest.DeepCopy()
	next.Status = r.app.Status
	next.Finalizers = without(latest.Finalizers, removed(r.read.Finalizers, r.app.Finalizers))
	for name := range r.read.Annotations {
		if _, kept := r.app.Annotations[name]; !kept && latest.Annotations[name] == r.read.Annotations[name] {
			delete(next.Annotations, name)
		}
	}
	for name, value := range r.app.Annotations {
		_, before := r.read.Annotations[name]
		if _, now := latest.Annotations[name]; !before && !now {
			metav1.SetMetaDataAnnotation(&next.ObjectMeta, name, value)
		}
	}
	sameOperation := equality.Semantic.DeepEqual(latest.Operation, r.read.Operation)
	if sameOperation {
		next.Operation = r.app.Operation
	}
	running := next.Status.OperationState != nil && !next.Status.OperationState.Phase.Completed()
	if !sameOperation && running || running && terminating(latest) {
		next.Operation, next.Status.OperationState = latest.Operation, withResult(latest.Status.OperationState, r.app.Status.OperationState)
	}
	r.base, r.read, r.app = latest, r.memory.full.Load().complete(latest), next
	return nil
}

// withResult is the state of an operation with the results that we know of the same one.
func withResult(state, ours *v1alpha1.OperationState) *v1alpha1.OperationState {
	if state == nil || ours == nil || ours.SyncResult == nil || !state.StartedAt.Equal(&ours.StartedAt) {
		return state
	}
	state = state.DeepCopy()
	state.SyncResult = ours.SyncResult
	return state
}

// statusChanged says whether the status differs from the one that was read in
// more than the time of the last look.
func (r *reconciliation) statusChanged() bool {
	before, after := r.read.Status, r.app.Status
	before.ReconciledAt, after.ReconciledAt = nil, nil
	return !sameStatus(before, after) || !equality.Semantic.DeepEqual(r.read.Operation, r.app.Operation)
}

// olderThan says whether a precedes b. Versions that cannot be ordered count
// as older, because b is what a write of our own returned.
func olderThan(a, b *v1alpha1.Application) bool {
	order, err := resourceversion.CompareResourceVersion(a.ResourceVersion, b.ResourceVersion)
	return err != nil || order < 0
}

func removed(before, after []string) []string { return without(before, after) }

func without(list, remove []string) []string {
	drop := make(map[string]bool, len(remove))
	for _, item := range remove {
		drop[item] = true
	}
	var kept []string
	for _, item := range list {
		if !drop[item] {
			kept = append(kept, item)
		}
	}
	return kept
}
