package tenancy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// Action is what a sync does to an object.
type Action string

// Actions that limits and approvals tell apart.
const (
	Create  Action = "create"
	Edit    Action = "change"
	Replace Action = "replace"
	Prune   Action = "prune"
)

// Change is one object with what becomes of it.
type Change struct {
	Action                       Action
	Group, Kind, Namespace, Name string
}

func (c Change) name() string {
	if c.Namespace == "" {
		return c.Name
	}
	return c.Namespace + "/" + c.Name
}

// DigestOf names a set of changes to revisions. Another set has another digest.
func DigestOf(revisions []string, changes []Change) string {
	lines := make([]string, 0, len(changes))
	for _, c := range changes {
		lines = append(lines, strings.Join([]string{string(c.Action), c.Group, c.Kind, c.Namespace, c.Name}, "\x00"))
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(revisions, "\x00") + "\n" + strings.Join(lines, "\n")))
	return hex.EncodeToString(sum[:digestBytes])
}

// digestBytes keeps a digest short enough to be typed, and long enough that nobody finds another set for it.
const digestBytes = 12

// ApprovalMessage is the sentence about changes that wait for approval. [AwaitedApproval] reads the digest from it.
func ApprovalMessage(digest, application string, reasons []string) string {
	return fmt.Sprintf("waits for approval of %s: %s; approve with the annotation %s: %q, or fairlead app approve %s",
		digest, strings.Join(reasons, ", and "), v1alpha1.AnnotationApprove, digest, application)
}

var awaited = regexp.MustCompile(`^waits for approval of ([0-9a-f]{24}): `)

// AwaitedApproval returns the digest of the changes whose approval an Application waits for, with the whole sentence;
// "" when there are none.
func AwaitedApproval(app *v1alpha1.Application) (digest, message string) {
	for _, condition := range app.Status.GetConditions(v1alpha1.ApplicationConditionSyncHeld) {
		if match := awaited.FindStringSubmatch(condition.Message); match != nil {
			return match[1], condition.Message
		}
	}
	return "", ""
}
