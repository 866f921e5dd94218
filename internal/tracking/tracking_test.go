package tracking

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func object(apiVersion, kind, namespace, name string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": apiVersion, "kind": kind}}
	u.SetNamespace(namespace)
	u.SetName(name)
	return u
}

func TestOwner(t *testing.T) {
	byAnnotation, byLabel := Tracker{}, Tracker{Method: MethodLabel}
	for name, tc := range map[string]struct {
		tracker                 Tracker
		obj                     *unstructured.Unstructured
		label, id, installation string
		owned                   bool
		want                    string
	}{
		"the id names the object": {
			tracker: byAnnotation, obj: object("apps/v1", "Deployment", "namespace-a", "web"),
			id: "shop:apps/Deployment:namespace-a/web", want: "shop",
		},
		"an object of the core group has an empty group": {
			tracker: byAnnotation, obj: object("v1", "Service", "namespace-a", "web"),
			id: "namespace-b_shop:/Service:namespace-a/web", want: "namespace-b_shop",
		},
		"the version does not matter": {
			tracker: byAnnotation, obj: object("apps/v1beta2", "Deployment", "namespace-a", "web"),
			id: "shop:apps/Deployment:namespace-a/web", want: "shop",
		},
		"a cluster-scoped object carries the destination namespace": {
			tracker: byAnnotation, obj: object("rbac.authorization.k8s.io/v1", "ClusterRole", "", "system:web"),
			id: "shop:rbac.authorization.k8s.io/ClusterRole:namespace-a/system:web", want: "shop",
		},
		"a cluster-scoped object may carry no namespace": {
			tracker: byAnnotation, obj: object("v1", "Namespace", "", "namespace-a"),
			id: "shop:/Namespace:/namespace-a", want: "shop",
		},
		"a copied id names another kind": {
			tracker: byAnnotation, obj: object("discovery.k8s.io/v1", "EndpointSlice", "namespace-a", "web"),
			id: "shop:/Service:namespace-a/web",
		},
		"a copied id names another name": {
			tracker: byAnnotation, obj: object("v1", "Service", "namespace-a", "web-canary"),
			id: "shop:/Service:namespace-a/web",
		},
		"a copied id names another namespace": {
			tracker: byAnnotation, obj: object("v1", "Secret", "namespace-b", "key"),
			id: "shop:/Secret:namespace-a/key",
		},
		"an id of another form is none": {
			tracker: byAnnotation, obj: object("v1", "Secret", "namespace-b", "key"), id: "shop",
		},
		"an object with owners can still be managed by its own id": {
			tracker: byAnnotation, obj: object("v1", "Secret", "namespace-a", "key"), owned: true,
			id: "shop:/Secret:namespace-a/key", want: "shop",
		},
		"the label alone does not count when the annotation decides": {
			tracker: byAnnotation, obj: object("v1", "Secret", "namespace-a", "key"), label: "shop",
		},
		"the label counts when the label decides": {
			tracker: byLabel, obj: object("v1", "Secret", "namespace-a", "key"), label: "shop", want: "shop",
		},
		"a copied label on a child does not count": {
			tracker: byLabel, obj: object("v1", "Pod", "namespace-a", "web-1"), label: "shop", owned: true,
		},
		"both: the annotation decides": {
			tracker: Tracker{Method: MethodAnnotationAndLabel}, obj: object("v1", "Secret", "namespace-a", "key"),
			label: "other", id: "shop:/Secret:namespace-a/key", want: "shop",
		},
		"another installation's object is nobody's": {
			tracker: Tracker{InstallationID: "one"}, obj: object("v1", "Secret", "namespace-a", "key"),
			id: "shop:/Secret:namespace-a/key", installation: "two",
		},
		"this installation's object": {
			tracker: Tracker{InstallationID: "one"}, obj: object("v1", "Secret", "namespace-a", "key"),
			id: "shop:/Secret:namespace-a/key", installation: "one", want: "shop",
		},
		"a custom label key": {
			tracker: Tracker{Method: MethodLabel, LabelKey: "example.com/app"}, obj: object("v1", "Secret", "namespace-a", "key"), label: "shop", want: "shop",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.label != "" {
				tc.obj.SetLabels(map[string]string{tc.tracker.Key(): tc.label})
			}
			annotations := map[string]string{}
			if tc.id != "" {
				annotations[AnnotationTrackingID] = tc.id
			}
			if tc.installation != "" {
				annotations[AnnotationInstallationID] = tc.installation
			}
			tc.obj.SetAnnotations(annotations)
			if tc.owned {
				tc.obj.SetOwnerReferences([]metav1.OwnerReference{{Kind: "ReplicaSet", Name: "web"}})
			}
			partial := &metav1.PartialObjectMetadata{
				TypeMeta: metav1.TypeMeta{APIVersion: tc.obj.GetAPIVersion(), Kind: tc.obj.GetKind()},
				ObjectMeta: metav1.ObjectMeta{
					Namespace: tc.obj.GetNamespace(), Name: tc.obj.GetName(), Labels: tc.obj.GetLabels(),
					Annotations: tc.obj.GetAnnotations(), OwnerReferences: tc.obj.GetOwnerReferences(),
				},
			}
			for _, obj := range []Object{tc.obj, partial} {
				if got, ok := tc.tracker.Owner(obj); got != tc.want && ok || ok != (tc.want != "") {
					t.Errorf("%T: owner %q, %v; want %q", obj, got, ok, tc.want)
				}
			}
		})
	}
}

func TestMark(t *testing.T) {
	long := strings.Repeat("a", 60) + "--_" + "more"
	for name, tc := range map[string]struct {
		tracker             Tracker
		obj                 *unstructured.Unstructured
		app                 string
		id, label, installs string
		template            string
	}{
		"annotation": {
			obj: object("apps/v1", "Deployment", "namespace-a", "web"), app: "shop", id: "shop:apps/Deployment:namespace-a/web",
		},
		"an object without a namespace gets the destination's into its id": {
			obj: object("v1", "Namespace", "", "namespace-b"), app: "shop", id: "shop:/Namespace:destination/namespace-b",
		},
		"with an installation id": {
			tracker: Tracker{InstallationID: "one"}, obj: object("v1", "Secret", "namespace-a", "key"), app: "shop",
			id: "shop:/Secret:namespace-a/key", installs: "one",
		},
		"label": {
			tracker: Tracker{Method: MethodLabel}, obj: object("v1", "Secret", "namespace-a", "key"), app: "shop", label: "shop",
		},
		"a label that decides is never shortened": {
			tracker: Tracker{Method: MethodLabel}, obj: object("v1", "Secret", "namespace-a", "key"), app: long, label: long,
		},
		"a label beside the annotation is shortened": {
			tracker: Tracker{Method: MethodAnnotationAndLabel}, obj: object("v1", "Secret", "namespace-a", "key"), app: long,
			id: long + ":/Secret:namespace-a/key", label: strings.Repeat("a", 60),
		},
		"a CRD belongs to nobody": {
			tracker: Tracker{Method: MethodAnnotationAndLabel},
			obj:     object("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", "widgets.example.com"), app: "shop",
		},
		"the legacy label goes into the pod template": {
			tracker: Tracker{Method: MethodLabel, LabelKey: LegacyLabelKey}, obj: object("apps/v1", "Deployment", "namespace-a", "web"),
			app: "shop", label: "shop", template: "shop",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if err := tc.tracker.Mark(tc.obj, tc.app, "destination"); err != nil {
				t.Fatal(err)
			}
			check := func(what, got, want string) {
				if got != want {
					t.Errorf("%s is %q, want %q", what, got, want)
				}
			}
			check("tracking id", tc.obj.GetAnnotations()[AnnotationTrackingID], tc.id)
			check("installation id", tc.obj.GetAnnotations()[AnnotationInstallationID], tc.installs)
			check("label", tc.obj.GetLabels()[tc.tracker.Key()], tc.label)
			template, _, _ := unstructured.NestedString(tc.obj.Object, "spec", "template", "metadata", "labels", tc.tracker.Key())
			check("template label", template, tc.template)
			if owner, ok := tc.tracker.Owner(tc.obj); ok && owner != tc.app || !ok && (tc.id != "" || tc.label != "") {
				t.Errorf("owner of the marked object is %q, %v", owner, ok)
			}
		})
	}
}

func TestMarkRefusesWhatIsNotAMapOfStrings(t *testing.T) {
	for name, metadata := range map[string]map[string]any{
		"annotations are a list": {"name": "key", "annotations": []any{"a"}},
		"a value is a number":    {"name": "key", "annotations": map[string]any{"port": int64(80)}},
	} {
		t.Run(name, func(t *testing.T) {
			obj := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Secret", "metadata": metadata}}
			if err := (Tracker{}).Mark(obj, "shop", ""); err == nil {
				t.Error("no error")
			}
		})
	}
	empty := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": "key", "annotations": nil}}}
	if err := (Tracker{}).Mark(empty, "shop", ""); err != nil {
		t.Errorf("annotations: null is refused: %v", err)
	}
}

func TestMarkRemovesTheIDOfAnotherInstallation(t *testing.T) {
	obj := object("v1", "Secret", "namespace-a", "key")
	obj.SetAnnotations(map[string]string{AnnotationInstallationID: "two", "kept": "yes"})
	if err := (Tracker{}).Mark(obj, "shop", ""); err != nil {
		t.Fatal(err)
	}
	if a := obj.GetAnnotations(); a[AnnotationInstallationID] != "" || a["kept"] != "yes" {
		t.Errorf("annotations are %v", a)
	}
}

func TestInstanceName(t *testing.T) {
	for _, tc := range []struct{ namespace, name, instance string }{
		{"argocd", "shop", "shop"},
		{"namespace-b", "shop", "namespace-b_shop"},
	} {
		if got := InstanceName(tc.namespace, tc.name, "argocd"); got != tc.instance {
			t.Errorf("instance name of %s/%s is %q", tc.namespace, tc.name, got)
		}
		if namespace, name := ParseInstanceName(tc.instance, "argocd"); namespace != tc.namespace || name != tc.name {
			t.Errorf("%q is read as %s/%s", tc.instance, namespace, name)
		}
	}
	if got := InstanceName("", "shop", "argocd"); got != "shop" {
		t.Errorf("an application without a namespace is %q", got)
	}
}
