package application

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fairlead-cd/fairlead/internal/apply"
	"github.com/fairlead-cd/fairlead/internal/cluster"
	"github.com/fairlead-cd/fairlead/internal/compare"
	"github.com/fairlead-cd/fairlead/internal/plan"
)

// difference is how a live object differs from its target.
type difference struct {
	differs bool
	// fields are those that differ; none when only the order of a list does.
	fields []compare.Field
	// settled names the live state for which the API server itself answered, so
	// that it is not asked again while only the status changes.
	settled string
}

// differenceOf tells how a live object differs from what a sync would make of it.
func (r *reconciliation) differenceOf(ctx context.Context, t target, live *unstructured.Unstructured, schema *compare.Schema, before difference) (difference, error) {
	pair, err := r.pairOf(ctx, t, live, schema)
	if err != nil {
		return difference{}, err
	}
	found, err := r.foresee(ctx, t, pair, before.settled)
	if err != nil || found.asBefore {
		return before, err
	}
	out := difference{differs: !found.Synced(), settled: found.settled}
	if !out.differs {
		return out, nil
	}
	if out.fields, err = r.Comparer.Explain(pair.Live, found.Result); err != nil {
		return difference{}, incomparable(fmt.Errorf("%s: %w", t.file, err))
	}
	return out, nil
}

// foreseen is what a sync would change in a live object.
type foreseen struct {
	compare.Result
	// predicted is the answer of the API server; nil when it was not asked.
	predicted *unstructured.Unstructured
	// settled names the live state that it answered for; asBefore says that it did so already.
	settled  string
	asBefore bool
}

// foresee predicts what a sync would change. Where the prediction alone cannot
// tell, or the API server is to be asked anyway, a dry run tells; its answer
// holds for the content of the live object, which before names when it was
// asked already.
func (r *reconciliation) foresee(ctx context.Context, t target, pair compare.Pair, before string) (out foreseen, err error) {
	if !r.manner.serverSide {
		if out.Result, err = r.Comparer.Compare(pair); err != nil {
			return out, incomparable(fmt.Errorf("%s: %w", t.file, err))
		}
		if out.Certain {
			return out, nil
		}
	}
	if out.settled = contentOf(pair.Live); out.settled != "" && out.settled == before {
		out.asBefore = true
		return out, nil
	}
	predicted, err := r.destination.Applier.Predict(ctx, t.obj)
	switch {
	case err != nil && !refused(err):
		// It passes by itself. To go on without an answer would show a difference where there may be none.
		return out, fmt.Errorf("asking the API server about %s: %w", plan.ReferenceTo(t.obj), err)
	case err != nil && r.manner.serverSide:
		return out, incomparable(fmt.Errorf("%s: the API server refuses %s: %w", t.file, plan.ReferenceTo(t.obj), err))
	case err != nil:
		r.Logger.Debug("dry run refused; the local prediction stands", "application", r.key.String(),
			"object", plan.ReferenceTo(t.obj).String(), "error", err)
		out.settled = ""
		return out, nil
	}
	out.predicted = predicted
	if out.Result, err = r.Comparer.Between(pair, predicted); err != nil {
		return out, incomparable(fmt.Errorf("%s: %w", t.file, err))
	}
	if r.manner.serverSide && !r.manner.webhooks {
		if out.Result, err = r.Comparer.WithoutWebhooks(out.Result, pair.Live, predicted); err != nil {
			return out, incomparable(fmt.Errorf("%s: %w", t.file, err))
		}
	}
	return out, nil
}

// pairOf puts a target and its live object side by side, in the version that the target states; the watch follows the
// preferred one.
func (r *reconciliation) pairOf(ctx context.Context, t target, live *unstructured.Unstructured, schema *compare.Schema) (compare.Pair, error) {
	if live.GetAPIVersion() != t.obj.GetAPIVersion() {
		converted, err := r.destination.Live.Fetch(ctx, t.key, t.obj.GroupVersionKind().Version)
		if err != nil {
			return compare.Pair{}, fmt.Errorf("reading the live %s: %w", plan.ReferenceTo(t.obj), err)
		}
		live = converted
	}
	rules, err := r.manner.rulesFor(t)
	if err != nil {
		return compare.Pair{}, incomparable(fmt.Errorf("%s: %w", t.file, err))
	}
	return compare.Pair{Desired: t.obj, Live: live, Schema: schema, Rules: rules}, nil
}

// refused says that the API server has answered, and will answer the same again.
func refused(err error) bool {
	refusal, ok := errors.AsType[*apply.Refusal](err)
	if !ok {
		return errors.Is(err, cluster.ErrKindUnknown)
	}
	switch refusal.Reason {
	case apply.Conflict, apply.Overloaded, apply.Unavailable, apply.Failed:
		return false
	default:
		return true
	}
}

// contentOf names what is in an object beside its status and its version.
func contentOf(live *unstructured.Unstructured) string {
	top := maps.Clone(live.Object)
	delete(top, "status")
	if metadata, ok := top["metadata"].(map[string]any); ok {
		metadata = maps.Clone(metadata)
		delete(metadata, "resourceVersion")
		delete(metadata, "managedFields")
		top["metadata"] = metadata
	}
	content, err := json.Marshal(top)
	if err != nil {
		return ""
	}
	sum := sha256.New()
	sum.Write(content)
	for _, entry := range live.GetManagedFields() {
		if entry.Subresource == "" && entry.FieldsV1 != nil {
			sum.Write([]byte(entry.Manager))
			sum.Write([]byte(entry.FieldsV1.GetRawString()))
		}
	}
	return string(sum.Sum(nil))
}

// optionSet reads a switch from comma-separated options such as
// "ServerSideDiff=true".
func optionSet(options, name string, byDefault bool) bool {
	for option := range strings.SplitSeq(options, ",") {
		value, ok := strings.CutPrefix(strings.TrimSpace(option), name+"=")
		if !ok {
			continue
		}
		if on, err := strconv.ParseBool(value); err == nil {
			return on
		}
	}
	return byDefault
}

// keepIgnored lets the steps leave fields alone that do not count in the
// comparison (sync option RespectIgnoreDifferences).
func (r *reconciliation) keepIgnored(ctx context.Context, objects []object, steps []plan.Step) error {
	at := positions(objects)
	for i := range steps {
		step := &steps[i]
		o := at[step.Reference]
		if step.Action != plan.Change || o == nil || o.live == nil || !o.live.Whole() {
			continue
		}
		schema, err := r.schemaOf(ctx, step.Desired.GroupVersionKind())
		if err != nil {
			return err
		}
		live := o.live.Live()
		if live.GetAPIVersion() != step.Desired.GetAPIVersion() {
			continue // the comparison read it in the other version; what is ignored there cannot be carried over
		}
		rules, err := r.manner.rulesFor(target{key: o.live.Key, obj: step.Desired})
		if err != nil {
			return err
		}
		if step.Desired, err = r.Comparer.KeepIgnored(compare.Pair{Desired: step.Desired, Live: live, Schema: schema, Rules: rules}); err != nil {
			return fmt.Errorf("keeping what is ignored (RespectIgnoreDifferences): %w", err)
		}
	}
	return nil
}
