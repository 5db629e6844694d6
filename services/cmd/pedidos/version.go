package main

import (
	"cmp"
	"runtime/debug"
	"strings"
)

// version is set by the linker: -ldflags "-X main.version=v1.2.3".
var version string

// unknownVersion stands for the version of a build outside a work tree.
const unknownVersion = "unknown"

// buildVersion returns the version of the build, of the module, or else the commit, followed by the version of Go.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return cmp.Or(version, unknownVersion)
	}
	module := info.Main.Version
	if module == "(devel)" {
		module = ""
	}
	return cmp.Or(version, module, commit(info.Settings), unknownVersion) + ", Go " + strings.TrimPrefix(info.GoVersion, "go")
}

// commit returns the commit of a build in a work tree, and whether it had uncommitted changes.
func commit(settings []debug.BuildSetting) string {
	var revision, modified string
	for _, s := range settings {
		switch {
		case s.Key == "vcs.revision":
			revision = "commit " + s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = ", modified"
		}
	}
	if revision == "" {
		return ""
	}
	return revision + modified
}
