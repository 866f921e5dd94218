// Package v1alpha1 defines the custom resources of the group argoproj.io and everything else that
// crosses the API of Fairlead under their names: Application, AppProject and ApplicationSet, and the
// repositories, clusters, keys, trees and differences that the API server talks about.
//
// The Go structs are the definition. JSON names, protobuf field numbers, enums and validation are
// those of Argo CD 3.6 and never change; testdata/protobuf.txt keeps the numbers. Deep copies, the
// protobuf code, generated.proto and the CustomResourceDefinitions in deploy/crds are generated from
// the structs by api/generate.sh. What Fairlead adds to a type is optional, and its comment starts
// with "Fairlead:".
//
// Types here carry only what belongs to a value: small questions about itself and how it is written.
// What an Application means is decided in the packages below internal.
//
// +groupName=argoproj.io
// +kubebuilder:object:generate=true
package v1alpha1
