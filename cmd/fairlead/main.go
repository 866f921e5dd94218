// Command fairlead is the GitOps continuous-delivery system in one binary.
package main

func main() {}
