package pods

import "strings"

// missing tells whether an image cannot be pulled: one from a registry whose
// name ends in .invalid, the domain that never resolves.
func missing(image string) bool {
	registry, _, found := strings.Cut(image, "/")
	if !found || !strings.ContainsAny(registry, ".:") && registry != "localhost" {
		return false
	}
	host, _, _ := strings.Cut(registry, ":")
	return strings.HasSuffix(strings.ToLower(host), ".invalid")
}
