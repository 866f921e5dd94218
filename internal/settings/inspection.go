package settings

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Inspection is what people may see of objects and do in them.
type Inspection struct {
	// ExecEnabled tells whether shells may be opened in containers, and Shells which ones, the first to be tried first.
	ExecEnabled bool
	Shells      []string
	// MaxPodLogs is of how many pods logs are read at once.
	MaxPodLogs int
	// MaskedAnnotations are the annotations of Secrets whose values are secret too.
	MaskedAnnotations []string
}

func defaultInspection() Inspection {
	return Inspection{Shells: []string{"bash", "sh", "powershell", "cmd"}, MaxPodLogs: 10}
}

func inspection(p *parser, last Inspection) Inspection {
	d := defaultInspection()
	return Inspection{
		ExecEnabled:       parsed(p, "exec.enabled", strconv.ParseBool, false, last.ExecEnabled),
		Shells:            parsed(p, "exec.shells", words, d.Shells, last.Shells),
		MaxPodLogs:        parsed(p, "server.maxPodLogsToRender", positive, d.MaxPodLogs, last.MaxPodLogs),
		MaskedAnnotations: parsed(p, "resource.sensitive.mask.annotations", words, nil, last.MaskedAnnotations),
	}
}

// words reads what stands between commas.
func words(s string) ([]string, error) {
	list := strings.Split(s, ",")
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return slices.DeleteFunc(list, func(w string) bool { return w == "" }), nil
}

func positive(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%q is not a number above 0", s)
	}
	return n, nil
}
