package main

import (
	"cmp"
	"runtime/debug"
	"strings"
)

// version is what the build says it is, by -ldflags "-X main.version=v1.2.3". Empty, the build information says.
var version string

// buildVersion names the version that this executable was built from: the one that the build gives, the module's, or the
// commit. The version of Go comes with it.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return cmp.Or(version, "unknown")
	}
	module := info.Main.Version
	if module == "(devel)" {
		module = ""
	}
	return cmp.Or(version, module, commit(info.Settings), "unknown") + ", Go " + strings.TrimPrefix(info.GoVersion, "go")
}

// commit is the commit that a build in a work tree is of, and whether files were changed since.
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
