package application

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/repo"
)

// pin holds an Application at a revision, in place of the one that its
// specification asks for, until that stands for something else than what the
// pin keeps out.
type pin struct {
	at       sourcesAt
	by, why  string
	keepsOut string // the revisions, separated by commas; see unrendered
}

// unrendered is what a pin keeps out when the target revision could not even be resolved.
const unrendered = "unknown"

// pinOf reads the annotations of an Application; nil without a pin.
func pinOf(app *v1alpha1.Application) (*pin, error) {
	text := strings.TrimSpace(app.Annotations[v1alpha1.AnnotationPin])
	if text == "" {
		return nil, nil
	}
	p := &pin{
		by: app.Annotations[v1alpha1.AnnotationPinBy], why: app.Annotations[v1alpha1.AnnotationPinReason],
		keepsOut: app.Annotations[v1alpha1.AnnotationPinKeepsOut],
	}
	if id, err := strconv.ParseInt(text, 10, 64); err == nil {
		if entry := app.Status.History.Find(id); entry != nil {
			p.at = sourcesAt{sources: v1alpha1.ApplicationSources{entry.Source}, revisions: []string{entry.Revision}}
			if len(entry.Sources) > 0 {
				p.at = sourcesAt{sources: entry.Sources, revisions: entry.Revisions}
			}
			return p, nil
		}
		if len(text) < 7 { // no commit is named by so few digits
			return nil, invalid("%s is %s, and the history has no entry with this id; pin a revision, or remove the annotation", v1alpha1.AnnotationPin, text)
		}
	}
	p.at = sourcesAt{sources: app.Spec.GetSources(), revisions: strings.Split(text, ",")}
	for i := range p.at.revisions {
		p.at.revisions[i] = strings.TrimSpace(p.at.revisions[i])
	}
	if len(p.at.revisions) != len(p.at.sources) {
		return nil, invalid("%s names %d revisions for %d sources; name one for each, separated by commas", v1alpha1.AnnotationPin, len(p.at.revisions), len(p.at.sources))
	}
	return p, nil
}

// withPin returns what is desired in place of what the target revision renders
// to, or failed to render to: that of the pin if there is one. It lifts a pin
// that has done its work.
func (r *reconciliation) withPin(ctx context.Context, target *desired, targetErr error) (*desired, error) {
	p, err := pinOf(r.app)
	if p == nil && err == nil || ctx.Err() != nil {
		return target, targetErr
	}
	if err != nil {
		return nil, err
	}
	if p.keepsOut == "" && !repo.IsUnreachable(targetErr) && !errors.Is(targetErr, repo.ErrUnavailable) {
		p.keepsOut = revisionsOf(target, targetErr)
		r.annotate(v1alpha1.AnnotationPinKeepsOut, p.keepsOut)
	}
	over, err := r.pinIsOver(ctx, p, target)
	if err != nil {
		return nil, err
	}
	if over {
		for name := range v1alpha1.NoPinAnnotations() {
			delete(r.app.Annotations, name)
		}
		r.Logger.Info("a pin is lifted: the target revision stands for something else", "application", r.key,
			"keptOut", p.keepsOut, "now", strings.Join(target.revisions(), ","))
		return target, nil
	}
	pinned, err := r.renderAll(ctx, p.at)
	if err != nil {
		return nil, err
	}
	r.pin = p
	r.conditions = append(r.conditions, r.condition(v1alpha1.ApplicationConditionPinned, p.message(pinned)))
	return pinned, nil
}

// pinIsOver says whether the target revision renders to something else than
// what the pin keeps out. A commit that changes nothing of the Application
// leaves the pin where it is.
func (r *reconciliation) pinIsOver(ctx context.Context, p *pin, target *desired) (bool, error) {
	if target == nil || p.keepsOut == "" || target.stale != nil || sameRevisions(p.keepsOut, target) {
		return false, nil //nolint:nilerr // what was rendered last decides nothing
	}
	bad := sourcesAt{sources: r.app.Spec.GetSources(), revisions: strings.Split(p.keepsOut, ",")}
	if p.keepsOut == unrendered || len(bad.revisions) != len(bad.sources) {
		return true, nil
	}
	again := r.again
	found, err := r.renderAll(ctx, bad)
	switch {
	case ctx.Err() != nil || errors.Is(err, repo.ErrUnavailable):
		return false, err
	case err != nil:
		r.again = again
		return true, nil //nolint:nilerr // it did not render, or is gone: whatever renders is another
	}
	return found.result.Digest != target.result.Digest, nil
}

// sameRevisions compares commits of which the kept one may be shortened.
func sameRevisions(kept string, target *desired) bool {
	return slices.EqualFunc(strings.Split(kept, ","), target.revisions(), func(short, full string) bool {
		return short != "" && strings.HasPrefix(full, short)
	})
}

// revisionsOf names what a target revision stands for, even if it does not render.
func revisionsOf(target *desired, err error) string {
	if target != nil {
		return strings.Join(target.revisions(), ",")
	}
	if blamed, ok := errors.AsType[*repo.SourceError](err); ok && blamed.Revision != "" && blamed.Index == 0 {
		return blamed.Revision
	}
	return unrendered
}

func (p *pin) message(at *desired) string {
	var text strings.Builder
	fmt.Fprintf(&text, "pinned to %s", shortRevisions(at.revisions()))
	if p.by != "" {
		fmt.Fprintf(&text, " by %s", p.by)
	}
	if p.why != "" {
		fmt.Fprintf(&text, " (%s)", p.why)
	}
	if p.keepsOut != "" && p.keepsOut != unrendered {
		fmt.Fprintf(&text, "; it keeps out %s until a commit changes that", shortRevisions(strings.Split(p.keepsOut, ",")))
	}
	return text.String()
}

// followsPin says whether an operation goes to the pinned revision: it names no
// revision itself, and has not begun with another.
func (r *reconciliation) followsPin(state *v1alpha1.OperationState) bool {
	op := state.Operation.Sync
	if r.pin == nil || op.Source != nil || len(op.Sources) > 0 || op.Revision != "" || len(op.Revisions) > 0 {
		return false
	}
	if state.SyncResult == nil {
		return true
	}
	_, begun := attempt(state)
	return slices.Equal(begun, r.desired.revisions())
}

// annotate sets an annotation of the Application.
func (r *reconciliation) annotate(name, value string) {
	if r.app.Annotations == nil {
		r.app.Annotations = make(map[string]string)
	}
	r.app.Annotations[name] = value
}
