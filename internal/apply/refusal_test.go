package apply_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead-cd/fairlead/internal/apply"
	"github.com/fairlead-cd/fairlead/internal/cluster"
	"github.com/fairlead-cd/fairlead/internal/plan"
)

func answered(code int32, message string, causes ...metav1.StatusCause) error {
	status := metav1.Status{Status: metav1.StatusFailure, Code: code, Message: message}
	if len(causes) > 0 {
		status.Reason = metav1.StatusReasonInvalid
		status.Details = &metav1.StatusDetails{Causes: causes}
	}
	return &apierrors.StatusError{ErrStatus: status}
}

func cause(field, message string) metav1.StatusCause {
	return metav1.StatusCause{Type: metav1.CauseTypeFieldValueInvalid, Field: field, Message: message}
}

func TestARefusalSaysWhatToDo(t *testing.T) {
	t.Parallel()
	api := plan.Reference{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: "api"}
	for name, test := range map[string]struct {
		err    error
		reason apply.Reason
		retry  bool
		want   string
	}{
		"an unknown field": {
			err:    answered(500, `failed to create typed patch object (shop/api; apps/v1, Kind=Deployment): .spec.replica: field not declared in schema`),
			reason: apply.Invalid, want: "deployment.apps/api is not valid: .spec.replica: field not declared in schema; correct its manifest",
		},
		"several fields": {
			err:    answered(422, "", cause("spec.a", "Required value"), cause("spec.b", `Invalid value: "x": must be y`)),
			reason: apply.Invalid, want: `deployment.apps/api is not valid: spec.a: Required value; spec.b: "x": must be y; correct its manifest`,
		},
		"a large value": {
			err:    answered(422, "", cause("spec.template", `Invalid value: core.PodTemplateSpec{a: "b: c"}: field is immutable`)),
			reason: apply.Immutable,
			want:   "deployment.apps/api cannot be changed in place: spec.template: field is immutable; undo the change, or have the object deleted and made anew by its annotation argocd.argoproj.io/sync-options: Force=true,Replace=true",
		},
		"a quota": {
			err:    answered(403, `deployments.apps "api" is forbidden: exceeded quota: few, requested: pods=1, used: pods=3, limited: pods=3`),
			reason: apply.Quota, retry: true,
			want: "deployment.apps/api does not fit into the quota of namespace shop: exceeded quota: few, requested: pods=1, used: pods=3, limited: pods=3; raise the quota, or make room",
		},
		"a webhook": {
			err:    answered(400, `admission webhook "a.example.com" denied the request: no`),
			reason: apply.Webhook, retry: true, want: `deployment.apps/api was not admitted: admission webhook "a.example.com" denied the request: no`,
		},
		"a webhook that is away": {
			err:    answered(500, `Internal error occurred: failed calling webhook "a.example.com": no endpoints`),
			reason: apply.Webhook, retry: true, want: `deployment.apps/api was not admitted: Internal error occurred: failed calling webhook "a.example.com": no endpoints`,
		},
		"a kind": {
			err:    fmt.Errorf("%w apps/Deployment: is its CustomResourceDefinition installed?", cluster.ErrKindUnknown),
			reason: apply.UnknownKind, retry: true,
			want: "deployment.apps/api cannot be written: the cluster does not know the kind apps/Deployment: is its CustomResourceDefinition installed?",
		},
		"a size": {
			err: answered(500, "etcdserver: request is too large"), reason: apply.TooLarge,
			want: "deployment.apps/api is larger than the API server stores: etcdserver: request is too large; split it",
		},
		"the network": {
			err: errors.New("connection refused"), reason: apply.Unavailable, retry: true,
			want: "deployment.apps/api was not written: the API server failed: connection refused; try again when it is well",
		},
		"a client error of another kind": {
			err: answered(http.StatusTeapot, "I am a teapot"), reason: apply.Failed, retry: true, want: "deployment.apps/api was not written: I am a teapot",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := apply.Explain(api, fmt.Errorf("writing: %w", test.err))
			refusal, ok := errors.AsType[*apply.Refusal](err)
			if !ok || refusal.Reason != test.reason || refusal.Retry != test.retry || strings.ReplaceAll(err.Error(), "writing: ", "") != test.want {
				t.Errorf("got %+v\n%q, want\n%q", refusal, err, test.want)
			}
			if !errors.Is(err, test.err) {
				t.Error("the cause is lost")
			}
			if again := apply.Explain(api, err); again != err { //nolint:errorlint // the same one
				t.Errorf("explained twice: %v", again)
			}
		})
	}
	if err := apply.Explain(api, context.Canceled); !errors.Is(err, context.Canceled) {
		t.Errorf("the end of a context became %v", err)
	}
}

// FuzzSecret: whatever the API server says of a Secret, no value is repeated.
func FuzzSecret(f *testing.F) {
	for _, message := range []string{
		`Secret "s" is invalid: data[hunter2]: Invalid value: "%s": no`,
		`admission webhook "a.example.com" denied the request: %s`,
		`failed to create typed patch object (/s; /v1, Kind=Secret): .data.a: expected string, got &value.valueUnstructured{Value:"%s"}`,
		`failed to convert new object (/s; /v1, Kind=Secret) to proper version: illegal base64 data at input byte 6 of %s`,
		`ValidatingAdmissionPolicy 'x' with binding 'y' denied request: %s`,
		`secrets "s" is forbidden: exceeded quota: q "%s"`, `%s`, `unknown field "a" %s`,
	} {
		f.Add(int32(422), message, message)
		f.Add(int32(500), message, "")
	}
	const value = "c0rrect horse"
	secret := plan.Reference{Version: "v1", Kind: "Secret", Namespace: "n", Name: "s"}
	f.Fuzz(func(t *testing.T, code int32, message, detail string) {
		message, detail = strings.ReplaceAll(message, "%s", value), strings.ReplaceAll(detail, "%s", value)
		err := answered(code, message)
		if detail != "" {
			err = answered(code, message, cause("data.a", detail))
		}
		err = apply.Explain(secret, err)
		var all strings.Builder
		for e := err; e != nil; e = errors.Unwrap(e) {
			fmt.Fprintf(&all, "%v %+v\n", e, e)
		}
		if strings.Contains(all.String(), value) {
			t.Errorf("a value is told: %s", all.String())
		}
	})
}
