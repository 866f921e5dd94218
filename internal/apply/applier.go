package apply

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/util/csaupgrade"

	"github.com/fairlead-cd/fairlead/internal/cluster"
	"github.com/fairlead-cd/fairlead/internal/compare"
	"github.com/fairlead-cd/fairlead/internal/plan"
)

// FieldManager is the name under which objects are applied. It is the one
// that Argo CD uses, so that ownership carries over from an installation that
// is replaced.
const FieldManager = "argocd-controller"

// Target is the cluster that a plan is carried out in.
type Target interface {
	// Client returns a client without client-side rate limits.
	Client() dynamic.Interface
	// Resource returns how the API server serves a kind.
	Resource(ctx context.Context, gvk schema.GroupVersionKind) (cluster.Resource, error)
	// Observe is told every object that a write returned, before the watch
	// brings it.
	Observe(obj *unstructured.Unstructured)
}

// Options are the parts of a sync's options that concern single writes.
type Options struct {
	// DryRun lets the API server check everything and store nothing.
	DryRun bool
	// SkipValidation drops fields that the schema does not know instead of
	// refusing them (sync option Validate=false).
	SkipValidation bool
	// Propagation is the deletion propagation of prunes; foreground when empty.
	Propagation metav1.DeletionPropagation
}

// Outcome is what became of one step.
type Outcome struct {
	plan.Step
	// Object is the object as the API server returned it; nil after a prune
	// and after an error.
	Object *unstructured.Unstructured
	// Err is nil when the step was carried out.
	Err error
}

// Message says in a few words, as kubectl does, what happened.
func (o Outcome) Message() string {
	switch {
	case o.Err != nil:
		return o.Err.Error()
	case o.Action == plan.Prune:
		return o.Reference.String() + " pruned"
	default:
		return o.Reference.String() + " serverside-applied"
	}
}

// Applier carries out steps in one cluster. It is safe for concurrent use; all
// callers share its limit of requests.
type Applier struct {
	target Target
	slots  chan struct{}
}

// New returns an Applier that has at most concurrency requests under way.
func New(target Target, concurrency int) *Applier {
	return &Applier{target: target, slots: make(chan struct{}, concurrency)}
}

// Run carries out the steps of one stage at once and returns their outcomes in
// the same order. It does not stop at the first error: the steps are
// independent of each other. When ctx ends, the steps not yet begun report its
// error.
func (a *Applier) Run(ctx context.Context, steps []plan.Step, opts Options) []Outcome {
	outcomes := make([]Outcome, len(steps))
	var wg sync.WaitGroup
	for i, step := range steps {
		wg.Go(func() {
			outcomes[i] = Outcome{Step: step}
			select {
			case a.slots <- struct{}{}:
				defer func() { <-a.slots }()
			case <-ctx.Done():
				outcomes[i].Err = ctx.Err()
				return
			}
			if step.Action == plan.Prune {
				outcomes[i].Err = a.prune(ctx, step, opts)
				return
			}
			outcomes[i].Object, outcomes[i].Err = a.apply(ctx, step, opts)
		})
	}
	wg.Wait()
	return outcomes
}

// Predict asks the API server what applying desired would lead to, without
// storing it. A field that the schema does not know is an error, as it would be
// in a sync.
func (a *Applier) Predict(ctx context.Context, desired *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	step := plan.Step{Action: plan.Change, Reference: plan.ReferenceTo(desired), Desired: desired}
	select {
	case a.slots <- struct{}{}:
		defer func() { <-a.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return a.apply(ctx, step, Options{DryRun: true})
}

func (a *Applier) apply(ctx context.Context, step plan.Step, opts Options) (*unstructured.Unstructured, error) {
	client, err := a.client(ctx, step.Reference)
	if err != nil {
		return nil, err
	}
	if step.Live != nil && !opts.DryRun {
		if err := takeOver(ctx, client, step.Live); err != nil {
			return nil, fmt.Errorf("taking over the fields of client-side apply: %w", err)
		}
	}
	desired := step.Desired
	if opts.SkipValidation {
		desired = compare.KnownFields(desired)
	}
	body, err := json.Marshal(desired.Object)
	if err != nil {
		return nil, fmt.Errorf("encoding %s: %w", step.Reference, err)
	}
	force := true
	patch := metav1.PatchOptions{FieldManager: FieldManager, Force: &force, FieldValidation: metav1.FieldValidationStrict}
	if opts.SkipValidation {
		patch.FieldValidation = metav1.FieldValidationIgnore
	}
	if opts.DryRun {
		patch.DryRun = []string{metav1.DryRunAll}
	}
	applied, err := client.Patch(ctx, step.Name, types.ApplyPatchType, body, patch)
	if err != nil {
		return nil, err
	}
	if !opts.DryRun {
		a.target.Observe(applied)
	}
	return applied, nil
}

func (a *Applier) prune(ctx context.Context, step plan.Step, opts Options) error {
	client, err := a.client(ctx, step.Reference)
	if err != nil {
		return err
	}
	propagation := opts.Propagation
	if propagation == "" {
		propagation = metav1.DeletePropagationForeground
	}
	deletion := metav1.DeleteOptions{PropagationPolicy: &propagation}
	if step.UID != "" {
		deletion.Preconditions = &metav1.Preconditions{UID: &step.UID}
	}
	if opts.DryRun {
		deletion.DryRun = []string{metav1.DryRunAll}
	}
	err = client.Delete(ctx, step.Name, deletion)
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil // gone, or gone and made again by somebody else
	}
	return err
}

func (a *Applier) client(ctx context.Context, ref plan.Reference) (dynamic.ResourceInterface, error) {
	resource, err := a.target.Resource(ctx, schema.GroupVersionKind{Group: ref.Group, Version: ref.Version, Kind: ref.Kind})
	if err != nil {
		return nil, err
	}
	client := a.target.Client().Resource(resource.GroupVersionResource())
	if resource.Namespaced {
		return client.Namespace(ref.Namespace), nil
	}
	return client, nil
}

// takeOver moves the fields that were applied on the client's side to our
// field manager. The live object may be older than the one in the cluster;
// then it is read again, once.
func takeOver(ctx context.Context, client dynamic.ResourceInterface, live *unstructured.Unstructured) error {
	for attempt := 0; ; attempt++ {
		managers := compare.ClientSideManagers(live)
		if len(managers) == 0 {
			return nil
		}
		patch, err := csaupgrade.UpgradeManagedFieldsPatch(live, sets.New(managers...), FieldManager)
		if err != nil || patch == nil {
			return err
		}
		_, err = client.Patch(ctx, live.GetName(), types.JSONPatchType, patch, metav1.PatchOptions{FieldManager: FieldManager})
		if !apierrors.IsConflict(err) || attempt > 0 {
			return err
		}
		if live, err = client.Get(ctx, live.GetName(), metav1.GetOptions{}); err != nil {
			return err
		}
	}
}
