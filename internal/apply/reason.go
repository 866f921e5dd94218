package apply

import (
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead-cd/fairlead/internal/cluster"
)

// What the API server says when a server-side apply does not fit the schema. The
// answer then has the form of a failure of the server.
const (
	typedPatchFailed = "failed to create typed patch object"
	conversionFailed = "failed to convert new object"
)

// reasonOf reads an error of the API server. What an admission plugin says has
// no form of its own, so the words decide there.
func reasonOf(err error) Reason {
	if errors.Is(err, cluster.ErrKindUnknown) {
		return UnknownKind
	}
	status, ok := statusOf(err)
	if !ok {
		return Unavailable
	}
	for _, known := range tellingWords {
		if known.words.MatchString(status.Message) {
			return known.reason
		}
	}
	switch {
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return NamespaceTerminating
	case apierrors.IsInvalid(err):
		return reasonOfCauses(status)
	}
	return reasonOfCode(status)
}

// statusOf returns what the API server answered, if it did.
func statusOf(err error) (metav1.Status, bool) {
	var answer apierrors.APIStatus
	if !errors.As(err, &answer) {
		return metav1.Status{}, false
	}
	return answer.Status(), true
}

// tellingWords are how the API server words what has no code of its own.
var tellingWords = []struct {
	words  *regexp.Regexp
	reason Reason
}{
	{regexp.MustCompile(`admission webhook ".*" (denied the request|does not support dry run)`), Webhook},
	{regexp.MustCompile(`failed calling webhook|^Internal error occurred: .*webhook`), Webhook},
	{regexp.MustCompile(`(ValidatingAdmissionPolicy|policy) ['"].*['"] .*denied request`), Webhook},
	{regexp.MustCompile(typedPatchFailed + "|" + conversionFailed), Invalid},
	{regexp.MustCompile(`(exceeded|failed) quota: `), Quota},
	{regexp.MustCompile(`because it is being terminated`), NamespaceTerminating},
	{regexp.MustCompile(`request is too large`), TooLarge},
	{regexp.MustCompile(`^cannot change roleRef`), Immutable},
}

func reasonOfCode(status metav1.Status) Reason {
	switch status.Code {
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusUnsupportedMediaType:
		return Invalid
	case http.StatusUnauthorized:
		return Unauthorized
	case http.StatusForbidden:
		return Forbidden
	case http.StatusNotFound:
		if status.Details != nil && status.Details.Kind == "namespaces" {
			return NamespaceMissing
		}
		if status.Details != nil && status.Details.Name != "" {
			return Conflict // it was deleted in between
		}
		return UnknownKind
	case http.StatusMethodNotAllowed:
		return UnknownKind
	case http.StatusConflict:
		return Conflict
	case http.StatusRequestEntityTooLarge:
		return TooLarge
	case http.StatusTooManyRequests:
		return Overloaded
	}
	if status.Code >= http.StatusInternalServerError {
		return Unavailable
	}
	return Failed
}

// reasonOfCauses says which kind of invalid an object is. Making it anew helps
// only when nothing else is wrong with it.
func reasonOfCauses(status metav1.Status) Reason {
	if status.Details == nil || len(status.Details.Causes) == 0 {
		if unchangeable.MatchString(status.Message) {
			return Immutable
		}
		return Invalid
	}
	causes := status.Details.Causes
	switch {
	case !slices.ContainsFunc(causes, func(c metav1.StatusCause) bool { return !immutable(c) }):
		return Immutable
	case !slices.ContainsFunc(causes, func(c metav1.StatusCause) bool { return !portTaken(c) }):
		return PortTaken
	default:
		return Invalid
	}
}

// unchangeable is how the kinds of Kubernetes, and rules of definitions, say
// that a field keeps its first value.
var unchangeable = regexp.MustCompile(`(?i)immutable|(may|can|must|should)\s*not (be )?(change|update|modif)|can't (be )?(change|update|modif)|updates? to .* (is|are) forbidden|updates may not change|cannot change roleRef`)

func immutable(c metav1.StatusCause) bool { return unchangeable.MatchString(detail(c.Message)) }

func portTaken(c metav1.StatusCause) bool {
	return strings.HasSuffix(c.Field, "nodePort") && strings.Contains(c.Message, "already allocated")
}
