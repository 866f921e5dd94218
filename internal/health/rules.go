package health

import (
	"maps"
	"slices"
	"strings"
)

// check judges an object of a kind; false when it has no health.
type check func(obj map[string]any) (Result, bool)

// always makes a check of a function that has an answer for every object.
func always(judge func(map[string]any) Result) check {
	return func(obj map[string]any) (Result, bool) { return judge(obj), true }
}

// when is a rule about one condition: with this status, and one of these reasons if any are named, the object is in
// this health. The condition's own words become the message.
type when struct {
	kind, status string
	word         Status
	reasons      []string
}

// because narrows a rule to some reasons of the condition.
func (w when) because(reasons ...string) when {
	w.reasons = reasons
	return w
}

func isTrue(kind string, word Status) when  { return when{kind: kind, status: "True", word: word} }
func isFalse(kind string, word Status) when { return when{kind: kind, status: "False", word: word} }
func isUnknown(kind string) when            { return when{kind: kind, status: "Unknown", word: Progressing} }

func (w when) holds(c condition) bool {
	return c.kind == w.kind && c.status == w.status && (len(w.reasons) == 0 || contains(w.reasons, c.reason))
}

// byConditions reads status.conditions: the first rule that holds for one of them decides, and without any the object
// is Progressing. A status that speaks of an older generation is Progressing, whatever it says.
func byConditions(waiting string, rules ...when) check {
	return always(func(obj map[string]any) Result {
		if outdated(obj) {
			return unseen(unobserved)
		}
		if result, ok := firstOf(obj, conditions(obj), rules); ok {
			return result
		}
		return say(Progressing, waiting)
	})
}

// unobserved is the message about an object whose controller has not seen its present specification.
const unobserved = "The new spec has not been observed by the controller yet"

// outdated tells that the status names the generation it was written for, and that this is not the present one.
func outdated(obj map[string]any) bool {
	generation, ok := number(obj, "metadata", "generation")
	observed, says := number(obj, "status", "observedGeneration")
	return ok && says && observed < generation
}

func firstOf(obj map[string]any, list []condition, rules []when) (Result, bool) {
	generation := amount(obj, "metadata", "generation")
	for _, rule := range rules {
		for _, c := range list {
			if !rule.holds(c) {
				continue
			}
			if c.seen && c.generation < generation {
				return unseen(unobserved), true
			}
			message := c.why()
			if message == "" && rule.word != Healthy {
				message = c.kind + " is " + c.status
			}
			return say(rule.word, message).from(c.since), true
		}
	}
	return Result{}, false
}

// ready is what most controllers write: the condition Ready, false when something is wrong.
func ready(waiting string) check {
	return byConditions(waiting, isFalse("Ready", Degraded), isTrue("Ready", Healthy))
}

// suspended puts a switch of the specification before a check: when it is on, the object is Suspended.
func suspended(message string, next check, path ...string) check {
	return func(obj map[string]any) (Result, bool) {
		if flag(obj, path...) {
			return say(Suspended, message), true
		}
		return next(obj)
	}
}

// withStatus leaves objects that report nothing without health.
func withStatus(next check) check {
	return func(obj map[string]any) (Result, bool) {
		if status, _ := at(obj, "status").(map[string]any); len(status) == 0 {
			return Result{}, false
		}
		return next(obj)
	}
}

// words reads one field of the status, such as a phase, and looks its value up. An absent value is Progressing.
type words struct {
	field, message []string
	waiting        string
	meaning        map[string]Status
	// otherwise is the health of a value that is not listed.
	otherwise Status
}

func byField(w words) check {
	return always(func(obj map[string]any) Result {
		if outdated(obj) {
			return unseen(unobserved)
		}
		value, message := text(obj, w.field...), text(obj, w.message...)
		if value == "" {
			return say(Progressing, orElse(message, w.waiting))
		}
		word, ok := w.meaning[value]
		if !ok {
			word = w.otherwise
		}
		return say(word, because(strings.Join(w.field[1:], ".")+" is "+value, message))
	})
}

// phases lists the values of one health.
func phases(word Status, values ...string) map[string]Status {
	out := make(map[string]Status, len(values))
	for _, value := range values {
		out[value] = word
	}
	return out
}

func either(lists ...map[string]Status) map[string]Status {
	out := map[string]Status{}
	for _, list := range lists {
		maps.Copy(out, list)
	}
	return out
}

// pattern is a check for all kinds of some groups.
type pattern struct {
	group  string   // "a.b", or "*.b" for every group that ends so
	except []string // kinds that the pattern leaves to the next
	check  check
}

func (p pattern) matches(group, kind string) bool {
	suffix, wild := strings.CutPrefix(p.group, "*")
	return (group == p.group || wild && strings.HasSuffix(group, suffix)) && !slices.Contains(p.except, kind)
}

// kinds are the checks of single kinds, by group/kind; patterns those of whole groups, the first that matches decides.
var kinds, patterns = assemble()

func assemble() (map[string]check, []pattern) {
	all := map[string]check{}
	for _, group := range []map[string]check{
		kubernetes(), gatewayAPI(), argo(), argoEvents(), certManager(), externalSecrets(), crossplane(), clusterAPI(), prometheus(), knative(),
		flux(), strimzi(), keda(), karpenter(), databases(), istio(), platform(),
	} {
		maps.Copy(all, group)
	}
	return all, slices.Concat(crossplanePatterns(), knativePatterns(), istioPatterns(), platformPatterns())
}

// each gives several kinds of a group the same check.
func each(group string, c check, names ...string) map[string]check {
	out := make(map[string]check, len(names))
	for _, name := range names {
		out[group+"/"+name] = c
	}
	return out
}

func merged(lists ...map[string]check) map[string]check {
	out := map[string]check{}
	for _, list := range lists {
		maps.Copy(out, list)
	}
	return out
}
