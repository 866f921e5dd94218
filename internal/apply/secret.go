package apply

import (
	"regexp"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fairlead-cd/fairlead/internal/plan"
)

func secret(ref plan.Reference) bool { return ref.Group == "" && ref.Kind == "Secret" }

// withheld is an error about a Secret without anything that may quote a value
// of it: of the API server's words only those are kept that are known to hold
// none. What a webhook says is not among them.
func withheld(err error) error {
	status, ok := statusOf(err)
	if !ok {
		return err // it comes from the way to the API server
	}
	status.Message = harmlessParts(status.Message)
	if status.Details != nil {
		details := *status.Details
		details.Causes = nil
		for _, cause := range status.Details.Causes {
			cause.Message = harmlessCause(cause)
			details.Causes = append(details.Causes, cause)
		}
		status.Details = &details
	}
	return &apierrors.StatusError{ErrStatus: status}
}

// harmless are beginnings of sentences in which only names and counts vary.
var harmless = []*regexp.Regexp{
	regexp.MustCompile(`^secrets "[^"]*" is forbidden: User "[^"]*" cannot \w+ resource "[^"]*" in API group "[^"]*"( in the namespace "[^"]*"| at the cluster scope)?`),
	regexp.MustCompile(`^secrets "[^"]*" is forbidden: (exceeded|failed) quota: [\w.-]+(, (requested|used|limited): [\w./=-]+(,[\w./=-]+)*)*`),
	regexp.MustCompile(`^secrets "[^"]*" is forbidden: ValidatingAdmissionPolicy '[\w.-]*' (with binding '[\w.-]*' )?denied request`),
	regexp.MustCompile(`^secrets "[^"]*" is forbidden: unable to create new content in namespace \S+ because it is being terminated`),
	regexp.MustCompile(`^admission webhook "[\w.-]*" (denied the request|does not support dry run)`),
	regexp.MustCompile(`^Internal error occurred: failed calling webhook "[\w.-]*"`),
	regexp.MustCompile(`^(the server could not find the requested resource|namespaces "[\w.-]*" not found)$`),
	regexp.MustCompile(`^etcdserver: request is too large`),
}

// schemaWords begin a sentence about the schema, of which schemaParts are
// harmless.
var (
	schemaWords = regexp.MustCompile(`^(` + typedPatchFailed + `|` + conversionFailed + `|Secret in version "\w+" cannot be handled as a Secret|strict decoding error)`)
	schemaParts = regexp.MustCompile(`unknown field "[\w.\-\[\]]*"|\.[\w.\-]+: (field not declared in schema|expected (string|map|list|boolean|numeric \(int or float\)))|illegal base64 data at input byte \d+`)
)

const silence = "the API server's words are withheld, because they may quote a value"

func harmlessParts(message string) string {
	for _, form := range harmless {
		if part := form.FindString(message); part != "" {
			return part
		}
	}
	if schemaWords.MatchString(message) {
		if parts := schemaParts.FindAllString(message, mostCauses); len(parts) > 0 {
			return strings.Join(parts, "; ")
		}
	}
	return silence
}

// causeWords say what a cause of a known type means.
var causeWords = map[metav1.CauseType]string{
	metav1.CauseTypeFieldValueNotFound:     "not found",
	metav1.CauseTypeFieldValueRequired:     "a value is required",
	metav1.CauseTypeFieldValueDuplicate:    "the value occurs twice",
	metav1.CauseTypeFieldValueInvalid:      "the value is not valid",
	metav1.CauseTypeFieldValueNotSupported: "the value is not supported",
	metav1.CauseTypeForbidden:              "not permitted",
	metav1.CauseTypeTooLong:                "the value is too long",
	metav1.CauseTypeTooMany:                "too many values",
	metav1.CauseTypeTypeInvalid:            "the value has the wrong type",
}

func harmlessCause(cause metav1.StatusCause) string {
	if immutable(cause) {
		return "field is immutable"
	}
	if words, ok := causeWords[cause.Type]; ok {
		return words
	}
	return silence
}
