package apply

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/fairlead-cd/fairlead/internal/cluster"
	"github.com/fairlead-cd/fairlead/internal/plan"
)

// FieldManager is the name under which objects are applied. It is the one
// that Argo CD uses, so that ownership carries over from an installation that
// is replaced.
const FieldManager = "argocd-controller"

// Target is the cluster that a plan is carried out in.
type Target interface {
	// Client returns a client without client-side rate limits that tells how its
	// requests go (cluster.WithAnswers).
	Client() dynamic.Interface
	// ClientAs returns such a client that acts as another user.
	ClientAs(user string) (dynamic.Interface, error)
	// Resource returns how the API server serves a kind.
	Resource(ctx context.Context, gvk schema.GroupVersionKind) (cluster.Resource, error)
	// Observe is told every object that a write returned, before the watch
	// brings it.
	Observe(obj *unstructured.Unstructured)
}

// Options hold for all steps of a run; what differs between objects stands in
// the Options of their steps.
type Options struct {
	// DryRun lets the API server check everything and store nothing.
	DryRun bool
}

// Applier carries out steps in one cluster. It is safe for concurrent use; all
// callers share its limit of requests.
type Applier struct {
	target   Target
	limit    *limit
	patience patience
	// user is whom the objects are written as; empty for the target's own user.
	user string
}

// New returns an Applier. It has never more than most requests under way, and
// less when the API server cannot take as many; 0 stands for ConnectionStreams.
func New(target Target, most int) *Applier {
	return &Applier{target: target, limit: newLimit(most), patience: usualPatience()}
}

// As returns an Applier that writes as another user, such as
// system:serviceaccount:shop:deployer, and shares everything else.
func (a *Applier) As(user string) *Applier {
	other := *a
	other.user = user
	return &other
}

// Run carries out the steps of one stage at once and returns their outcomes in
// the same order. It does not stop at the first error: the steps are
// independent of each other. When ctx ends, the steps not yet begun report its
// error.
func (a *Applier) Run(ctx context.Context, steps []plan.Step, opts Options) []Outcome {
	outcomes := make([]Outcome, len(steps))
	a.each(ctx, len(steps), func(i int, p *place, err error) {
		outcomes[i] = Outcome{Step: steps[i]}
		if err != nil {
			outcomes[i].Err = err
			return
		}
		a.carryOut(ctx, &outcomes[i], opts, p)
	})
	return outcomes
}

// each calls do for the numbers below n at once, as far as there are places. It
// asks for the next only when it has one, which is what makes callers take
// turns. Once ctx has ended, do is told so.
func (a *Applier) each(ctx context.Context, n int, do func(i int, p *place, err error)) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for i := range n {
		p, err := a.limit.take(ctx)
		if err != nil {
			do(i, nil, err)
			continue
		}
		wg.Go(func() {
			defer p.leave()
			do(i, p, nil)
		})
	}
}

func (a *Applier) carryOut(ctx context.Context, o *Outcome, opts Options, p *place) {
	var err error
	if o.Action == plan.Prune {
		o.Result, err = Pruned, a.prune(ctx, o.Step, opts)
	} else {
		o.Object, o.Result, err = a.write(ctx, o.Step, opts, p)
	}
	o.Err = explain(o.Reference, err)
}

// Predict asks the API server what applying desired would lead to, without
// storing it. A field that the schema does not know is an error, as it would be
// in a sync.
func (a *Applier) Predict(ctx context.Context, desired *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	step := plan.Step{Action: plan.Change, Reference: plan.ReferenceTo(desired), Desired: desired}
	outcome := a.Run(ctx, []plan.Step{step}, Options{DryRun: true})[0]
	return outcome.Object, outcome.Err
}

func (a *Applier) prune(ctx context.Context, step plan.Step, opts Options) error {
	client, err := a.client(ctx, step.Reference)
	if err != nil {
		return err
	}
	w := &writer{Applier: a, Step: step, client: client, dryRun: opts.dryRun()}
	return w.remove(ctx)
}

func (a *Applier) client(ctx context.Context, ref plan.Reference) (dynamic.ResourceInterface, error) {
	resource, err := a.target.Resource(ctx, schema.GroupVersionKind{Group: ref.Group, Version: ref.Version, Kind: ref.Kind})
	if err != nil {
		return nil, err
	}
	all := a.target.Client()
	if a.user != "" {
		if all, err = a.target.ClientAs(a.user); err != nil {
			return nil, err
		}
	}
	client := all.Resource(resource.GroupVersionResource())
	if resource.Namespaced {
		return client.Namespace(ref.Namespace), nil
	}
	return client, nil
}
