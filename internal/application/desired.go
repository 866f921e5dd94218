package application

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/cluster"
	"github.com/fairlead-cd/fairlead/internal/compare"
	"github.com/fairlead-cd/fairlead/internal/plan"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/settings"
)

// target is one desired object, ready to be compared and applied.
type target struct {
	key  cluster.Key
	obj  *unstructured.Unstructured
	hash string // of what it was rendered from and how it was marked
	file string
}

// hook is an object that runs during a sync or a deletion, and is not compared.
type hook struct {
	target
	plan.Hook
}

// targets are the desired objects of an Application at one commit.
type targets struct {
	// identity and settings are what they were made from, see [reconciliation.targetsHold].
	identity   string
	settings   *settings.Settings
	list       []target
	hooks      []hook
	keys       map[cluster.Key]struct{}
	conditions []v1alpha1.ApplicationCondition
	// guessed are kinds that the cluster did not know, whose objects are taken
	// to be in a namespace until it does.
	guessed []schema.GroupVersionKind
}

// makeTargets turns rendered objects into targets: each gets the namespace of
// the destination if its kind has one and it states none, the mark of its
// Application, and is checked against the rules of the project. Objects that
// break a rule are errors of the whole, because leaving one out would prune it.
func (r *reconciliation) makeTargets(ctx context.Context, result *render.Result) (targets, error) {
	out := targets{identity: r.targetsIdentity(result), settings: r.settings, keys: make(map[cluster.Key]struct{}, len(result.Objects))}
	seen := make(map[cluster.Key]string, len(result.Objects))
	marks := r.marksIdentity()
	var refused []string
	for _, object := range result.Objects {
		gvk := object.GroupVersionKind()
		if r.settings.Resources.Excludes(gvk.Group, gvk.Kind, r.destination.Server) || cluster.AlwaysExcluded(gvk.Group, gvk.Kind) {
			out.conditions = append(out.conditions, r.condition(v1alpha1.ApplicationConditionExcludedResourceWarning,
				fmt.Sprintf("%s %s in %s is left alone, because this installation excludes its kind (resource.exclusions)", gvk.Kind, nameOf(object.Unstructured), object.File)))
			continue
		}
		obj, err := r.targetOf(ctx, object, result, &out)
		if err != nil {
			return targets{}, fmt.Errorf("%s %s in %s: %w", gvk.Kind, nameOf(object.Unstructured), object.File, err)
		}
		if err := r.project.Object(gvk.Group, gvk.Kind, obj.GetName(), r.destinationFor(obj.GetNamespace())); err != nil {
			refused = append(refused, fmt.Sprintf("%s: %v", object.File, err))
			continue
		}
		made := target{key: cluster.KeyOf(obj), obj: obj, hash: object.Hash + marks, file: object.File}
		if kind, ok := plan.HookOf(obj); ok {
			out.hooks = append(out.hooks, hook{made, kind})
			continue
		}
		if first, ok := seen[made.key]; ok {
			out.conditions = append(out.conditions, r.condition(v1alpha1.ApplicationConditionRepeatedResourceWarning,
				fmt.Sprintf("%s %s stands in %s and again in %s; the last one counts", gvk.Kind, obj.GetName(), first, object.File)))
			out.list = slices.DeleteFunc(out.list, func(t target) bool { return t.key == made.key })
		}
		seen[made.key] = object.File
		out.keys[made.key] = struct{}{}
		out.list = append(out.list, made)
	}
	if len(refused) > 0 {
		const most = 20
		if more := len(refused) - most; more > 0 {
			refused = append(refused[:most], fmt.Sprintf("and %d more objects", more))
		}
		return targets{}, errors.New(strings.Join(refused, "; "))
	}
	return out, nil
}

// targetOf returns a rendered object as it is to be in the cluster.
func (r *reconciliation) targetOf(ctx context.Context, object render.Object, result *render.Result, out *targets) (*unstructured.Unstructured, error) {
	gvk := object.GroupVersionKind()
	namespaced, err := r.isNamespaced(ctx, gvk, result)
	if errors.Is(err, cluster.ErrKindUnknown) && r.syncOptions(&v1alpha1.SyncOperation{}).of(object.Unstructured, "SkipDryRunOnMissingResource") == "true" {
		out.guessed = append(out.guessed, gvk)
		namespaced, err = true, nil
	}
	if err != nil {
		return nil, err
	}
	obj := object.DeepCopy()
	switch {
	case !namespaced:
		obj.SetNamespace("")
	case obj.GetNamespace() == "":
		if r.app.Spec.Destination.Namespace == "" {
			return nil, errors.New("it has no namespace; state one there or in spec.destination.namespace")
		}
		obj.SetNamespace(r.app.Spec.Destination.Namespace)
	}
	if err := r.destination.Live.Covers(obj.GetNamespace()); err != nil {
		return nil, err
	}
	if r.lenient() || hasOption(obj, v1alpha1.AnnotationSyncOptions, validateFalse) {
		obj = compare.KnownFields(obj)
	}
	if err := secretDataFromStrings(obj); err != nil {
		return nil, err
	}
	if obj.GetName() == "" && plan.IsHook(obj) {
		return obj, nil // it gets a name, and then its mark, when it runs
	}
	return obj, r.tracker.Mark(obj, r.instance, r.app.Spec.Destination.Namespace)
}

// nameOf is the name of an object, or what its name begins with.
func nameOf(obj *unstructured.Unstructured) string {
	return cmp.Or(obj.GetName(), obj.GetGenerateName())
}

// validateFalse is the sync option that drops unknown fields.
const validateFalse = "Validate=false"

// lenient says that the specification asks to drop unknown fields.
func (r *reconciliation) lenient() bool {
	policy := r.app.Spec.SyncPolicy
	return policy != nil && policy.SyncOptions.Has(validateFalse)
}

// isNamespaced says whether objects of a kind are in a namespace. A kind that
// the cluster does not know yet may come with the same Application.
func (r *reconciliation) isNamespaced(ctx context.Context, gvk schema.GroupVersionKind, result *render.Result) (bool, error) {
	resource, err := r.destination.Live.Resource(ctx, gvk)
	if err == nil {
		return resource.Namespaced, nil
	}
	for _, other := range result.Objects {
		if other.GetKind() != "CustomResourceDefinition" {
			continue
		}
		group, _, _ := unstructured.NestedString(other.Object, "spec", "group")
		kind, _, _ := unstructured.NestedString(other.Object, "spec", "names", "kind")
		scope, _, _ := unstructured.NestedString(other.Object, "spec", "scope")
		if group == gvk.Group && kind == gvk.Kind {
			return scope == "Namespaced", nil
		}
	}
	return false, err
}

func (t targets) keyList() []cluster.Key {
	keys := make([]cluster.Key, len(t.list))
	for i := range t.list {
		keys[i] = t.list[i].key
	}
	return keys
}

// targetsHold says whether makeTargets would give the targets that are
// remembered. Of the settings it reads the kinds that are left alone; most
// changes of settings do not concern those.
func (r *reconciliation) targetsHold(ctx context.Context, result *render.Result) bool {
	made := &r.memory.targets
	if made.identity != r.targetsIdentity(result) {
		return false
	}
	for _, gvk := range made.guessed {
		if _, err := r.destination.Live.Resource(ctx, gvk); err == nil {
			return false
		}
	}
	if made.settings != r.settings {
		if !reflect.DeepEqual(made.settings.Resources, r.settings.Resources) {
			return false
		}
		made.settings = r.settings
	}
	return true
}

// targetsIdentity names everything that makeTargets reads, but for settings.
func (r *reconciliation) targetsIdentity(result *render.Result) string {
	return strings.Join([]string{result.Digest, r.marksIdentity(), r.project.identity}, "\x00")
}

// marksIdentity names what turns a rendered object into a target.
func (r *reconciliation) marksIdentity() string {
	return strings.Join([]string{
		r.instance, r.app.Spec.Destination.Namespace, r.destination.Server, strconv.FormatBool(r.lenient()),
		string(r.tracker.Method), r.tracker.Key(), r.tracker.InstallationID,
	}, "\x00")
}

// secretDataFromStrings moves stringData of a Secret into data, where the API
// server puts it. An apply that sent stringData could not take a key away.
func secretDataFromStrings(obj *unstructured.Unstructured) error {
	if obj.GetKind() != "Secret" || obj.GetAPIVersion() != "v1" {
		return nil
	}
	strings, found, err := unstructured.NestedStringMap(obj.Object, "stringData")
	if err != nil {
		return fmt.Errorf("stringData has to hold strings alone")
	}
	if !found {
		return nil
	}
	data, _, err := unstructured.NestedMap(obj.Object, "data")
	if err != nil {
		return fmt.Errorf("data has to be a map")
	}
	if data == nil {
		data = make(map[string]any, len(strings))
	}
	for key, value := range strings {
		data[key] = base64.StdEncoding.EncodeToString([]byte(value))
	}
	delete(obj.Object, "stringData")
	return unstructured.SetNestedMap(obj.Object, data, "data")
}
