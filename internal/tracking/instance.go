package tracking

import "strings"

// InstanceName returns the name under which an application marks its objects: its plain name when it lives in the
// control plane's namespace (or appNamespace is empty), "<namespace>_<name>" elsewhere.
func InstanceName(appNamespace, appName, controlPlaneNamespace string) string {
	if appNamespace == "" || appNamespace == controlPlaneNamespace {
		return appName
	}
	return appNamespace + "_" + appName
}

// ParseInstanceName takes an instance name apart again. Neither namespaces nor application names hold an underscore,
// so the first one separates them.
func ParseInstanceName(instance, controlPlaneNamespace string) (appNamespace, appName string) {
	if namespace, name, ok := strings.Cut(instance, "_"); ok {
		return namespace, name
	}
	return controlPlaneNamespace, instance
}
