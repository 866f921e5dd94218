package tenancy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/tenancy"
)

// moment reads a time in the zone that it states, or in UTC.
func moment(t *testing.T, text string) time.Time {
	t.Helper()
	zone := time.UTC
	if at, name, ok := strings.Cut(text, " in "); ok {
		location, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		text, zone = at, location
	}
	if parsed, err := time.Parse(time.RFC3339, text); err == nil {
		return parsed
	}
	parsed, err := time.ParseInLocation("2006-01-02 15:04", text, zone)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func storefront() *v1alpha1.Application {
	app := &v1alpha1.Application{}
	app.Name = "storefront"
	app.Spec.Destination = v1alpha1.ApplicationDestination{Server: "https://prod.example.com", Name: "prod", Namespace: "shop"}
	return app
}

func TestWindowsThatConcernAnApplication(t *testing.T) {
	const times = "kind: deny, schedule: '* * * * *', duration: 1h"
	for name, test := range map[string]struct {
		window string
		want   bool
	}{
		"nothing is listed":                         {"", false},
		"its name":                                  {"applications: [storefront]", true},
		"a pattern of its name":                     {"applications: [other, 'store*']", true},
		"another name":                              {"applications: [store]", false},
		"the exclamation mark means itself":         {"applications: ['!other']", false},
		"its namespace":                             {"namespaces: ['sh?p']", true},
		"the name of its cluster":                   {"clusters: [prod]", true},
		"the address of its cluster":                {"clusters: ['https://*.example.com']", true},
		"any list will do":                          {"applications: [other], namespaces: [shop]", true},
		"but all with the and operator":             {"applications: [other], namespaces: [shop], andOperator: true", false},
		"which leaves out empty lists":              {"applications: ['*'], namespaces: [shop], andOperator: true", true},
		"and matches nothing with all empty":        {"andOperator: true", false},
		"an unreadable pattern is on the safe side": {"applications: ['[']", true},
	} {
		t.Run(name, func(t *testing.T) {
			spec := "syncWindows: [{" + times
			if test.window != "" {
				spec += ", " + test.window
			}
			windows := tenancy.New(project(t, spec+"}]")).Windows(storefront())
			if got := len(windows) == 1; got != test.want {
				t.Errorf("concerns = %t, want %t", got, test.want)
			}
		})
	}
}

func TestWindowsDecide(t *testing.T) {
	const (
		night  = `{kind: allow, schedule: '0 22 * * *', duration: 2h, applications: ['*'], description: night}`
		freeze = `{kind: deny, schedule: '0 23 * * *', duration: 30m, applications: ['*'], description: freeze}`
		broken = `duration: 1h, schedule: 'never', applications: ['*'], description: broken}`
	)
	manual, manualOver := strings.Replace(freeze, "}", ", manualSync: true}", 1), strings.Replace(freeze, "}", ", syncOverrun: true}", 1)
	nightManual, nightOver := strings.Replace(night, "}", ", manualSync: true}", 1), strings.Replace(night, "}", ", syncOverrun: true}", 1)
	for name, test := range map[string]struct {
		windows string
		at      string
		manual  bool
		started string
		held    string // "" for allowed
		again   string
	}{
		"no window allows everything":                    {windows: "", at: "2026-03-02 12:00"},
		"before it opens an allow window holds":          {windows: night, at: "2026-03-02 21:59", held: `until 2026-03-02 22:00 UTC, when the allow window "night" of project "team" opens`, again: "2026-03-02 22:00"},
		"it opens on the minute":                         {windows: night, at: "2026-03-02 22:00"},
		"and stays open to the last second":              {windows: night, at: "2026-03-02T23:59:59Z"},
		"and closes on the minute":                       {windows: night, at: "2026-03-03 00:00", held: "until 2026-03-03 22:00 UTC"},
		"a deny window holds while it is open":           {windows: freeze, at: "2026-03-02 23:10", held: `until 2026-03-02 23:30 UTC by the deny window "freeze" of project "team"`, again: "2026-03-02 23:30"},
		"and at no other time":                           {windows: freeze, at: "2026-03-02 23:30"},
		"deny goes before allow":                         {windows: night + "," + freeze, at: "2026-03-02 23:10", held: "until 2026-03-02 23:30 UTC by"},
		"the end is that of all that hold":               {windows: night + `,{kind: deny, schedule: '30 23 * * *', duration: 2h, applications: ['*']}`, at: "2026-03-02 23:45", held: `until 2026-03-03 22:00 UTC by the deny window "30 23 * * * for 2h"`},
		"one of several that allow will do":              {windows: night + `,{kind: allow, schedule: '0 1 * * *', duration: 1h, applications: ['*']}`, at: "2026-03-02 22:30"},
		"the one that opens next is told":                {windows: night + `,{kind: allow, schedule: '0 1 * * *', duration: 1h, applications: ['*'], description: early}`, at: "2026-03-02 00:30", held: `until 2026-03-02 01:00 UTC, when the allow window "early"`},
		"a window of another application does not count": {windows: `{kind: deny, schedule: '* * * * *', duration: 1h, applications: [other]}`, at: "2026-03-02 12:00"},

		"a person may sync where the window says so":  {windows: manual, at: "2026-03-02 23:10", manual: true},
		"automation may not":                          {windows: manual, at: "2026-03-02 23:10", held: "freeze"},
		"a person neither without that":               {windows: freeze, at: "2026-03-02 23:10", manual: true, held: "freeze"},
		"all that deny have to say so":                {windows: manual + `,{kind: deny, schedule: '0 23 * * *', duration: 1h, applications: ['*'], description: strict}`, at: "2026-03-02 23:10", manual: true, held: "until 2026-03-03 00:00 UTC by"},
		"a person may sync outside of allow windows":  {windows: nightManual, at: "2026-03-02 12:00", manual: true},
		"if all of them say so":                       {windows: nightManual + `,{kind: allow, schedule: '0 1 * * *', duration: 1h, applications: ['*']}`, at: "2026-03-02 12:00", manual: true, held: "until"},
		"an open deny window beats manual allow":      {windows: nightManual + "," + freeze, at: "2026-03-02 23:10", manual: true, held: "freeze"},
		"a deny with overrun lets go on what began":   {windows: manualOver, at: "2026-03-02 23:10", started: "2026-03-02 22:59"},
		"but not what begins":                         {windows: manualOver, at: "2026-03-02 23:10", held: "freeze"},
		"nor what began when it was denied":           {windows: manualOver, at: "2026-03-02 23:20", started: "2026-03-02 23:05", held: "freeze"},
		"a deny without holds what began":             {windows: freeze, at: "2026-03-02 23:10", started: "2026-03-02 22:59", held: "freeze"},
		"an allow with overrun lets go on what began": {windows: nightOver, at: "2026-03-03 00:30", started: "2026-03-02 23:50"},
		"one without does not":                        {windows: night, at: "2026-03-03 00:30", started: "2026-03-02 23:50", held: "night"},
		"all that are closed need it":                 {windows: nightOver + `,{kind: allow, schedule: '0 1 * * *', duration: 1h, applications: ['*']}`, at: "2026-03-03 00:30", started: "2026-03-02 23:50", held: "until"},
		"allow without, deny with overrun":            {windows: night + "," + manualOver, at: "2026-03-02 23:10", started: "2026-03-02 22:30"},
		"allow with, deny without overrun":            {windows: nightOver + "," + freeze, at: "2026-03-02 23:10", started: "2026-03-02 22:30", held: "freeze"},
		"a broken deny window denies":                 {windows: "{kind: deny, " + broken, at: "2026-03-02 12:00", held: `by the deny window "broken" of project "team", which has an error`},
		"a broken allow window does not allow":        {windows: "{kind: allow, " + broken, at: "2026-03-02 12:00", held: `by the allow window "broken"`},
		"and others stay in effect":                   {windows: "{kind: allow, " + broken + "," + night, at: "2026-03-02 22:30"},
		"beside it a good one is told":                {windows: "{kind: allow, " + broken + "," + night, at: "2026-03-02 21:30", held: `until 2026-03-02 22:00 UTC, when the allow window "night"`},
		"a kind that does not exist denies":           {windows: "{kind: permit, schedule: '0 1 * * *', duration: 1h, applications: ['*']}", at: "2026-03-02 12:00", held: "by"},
		"a window without an end has none":            {windows: `{kind: deny, schedule: '* * * * *', duration: 1h, applications: ['*']}`, at: "2026-03-02 12:00", held: `by the deny window "* * * * * for 1h" of project "team"`, again: "2026-03-03 13:01"},
		"a time zone":                                 {windows: `{kind: deny, schedule: '0 9 * * 1-5', duration: 8h, timeZone: Asia/Tokyo, applications: ['*']}`, at: "2026-03-02 00:00", held: "until 2026-03-02 17:00 Asia/Tokyo by"},
		"a time zone in the schedule":                 {windows: `{kind: deny, schedule: 'CRON_TZ=Asia/Tokyo 0 9 * * *', duration: 8h, applications: ['*']}`, at: "2026-03-02 00:00", held: "until 2026-03-02 17:00 Asia/Tokyo by"},
		"a window of many days":                       {windows: `{kind: deny, schedule: '0 0 24 12 *', duration: 192h, applications: ['*']}`, at: "2026-12-31 23:00", held: "until 2027-01-01 00:00 UTC"},
	} {
		t.Run(name, func(t *testing.T) {
			windows := tenancy.New(project(t, "syncWindows: ["+test.windows+"]")).Windows(storefront())
			sync := tenancy.Sync{Manual: test.manual}
			if test.started != "" {
				sync.Started = moment(t, test.started)
			}
			verdict := windows.Decide(moment(t, test.at), sync)
			if verdict.Allowed() != (test.held == "") || !strings.Contains(verdict.String(), test.held) {
				t.Errorf("got  %q\nwant %q", verdict, test.held)
			}
			if test.again != "" && !verdict.Again.Equal(moment(t, test.again)) {
				t.Errorf("again at %s, want %s", verdict.Again, test.again)
			}
		})
	}
}

func TestWindowsFollowTheClockOnTheWall(t *testing.T) {
	// In Berlin clocks go from 02:00 to 03:00 on 2026-03-29 and from 03:00 to 02:00 on 2026-10-25; on Lord Howe Island
	// they move by half an hour: from 02:00 to 01:30 on 2026-04-05, and from 02:00 to 02:30 on 2026-10-04.
	for name, test := range map[string]struct {
		schedule, duration, zone string
		at                       string
		until                    string // "" when it is not open
	}{
		"winter":                               {"0 9 * * *", "1h", "Europe/Berlin", "2026-01-10T08:30:00Z", "2026-01-10T09:00:00Z"},
		"summer":                               {"0 9 * * *", "1h", "Europe/Berlin", "2026-07-10T07:30:00Z", "2026-07-10T08:00:00Z"},
		"the day after the clocks changed":     {"0 9 * * *", "1h", "Europe/Berlin", "2026-03-29T07:30:00Z", "2026-03-29T08:00:00Z"},
		"a skipped time opens at the jump":     {"30 2 * * *", "1h", "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"},
		"not before it":                        {"30 2 * * *", "1h", "Europe/Berlin", "2026-03-29T00:59:59Z", ""},
		"the time after the jump opens once":   {"0 3 * * *", "1h", "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"},
		"a repeated time opens twice: once":    {"30 2 * * *", "10m", "Europe/Berlin", "2026-10-25T00:35:00Z", "2026-10-25T00:40:00Z"},
		"a repeated time opens twice: between": {"30 2 * * *", "10m", "Europe/Berlin", "2026-10-25T00:45:00Z", ""},
		"a repeated time opens twice: again":   {"30 2 * * *", "10m", "Europe/Berlin", "2026-10-25T01:35:00Z", "2026-10-25T01:40:00Z"},
		"a duration is time that passes":       {"0 22 * * *", "8h", "Europe/Berlin", "2026-10-25T03:30:00Z", "2026-10-25T04:00:00Z"},
		"half an hour skipped":                 {"15 2 * * *", "20m", "Australia/Lord_Howe", "2026-10-03T15:30:00Z", "2026-10-03T15:50:00Z"},
		"half an hour repeated":                {"45 1 * * *", "10m", "Australia/Lord_Howe", "2026-04-04T15:20:00Z", "2026-04-04T15:25:00Z"},
		"and the hour after it":                {"15 2 * * *", "20m", "Australia/Lord_Howe", "2026-04-04T15:46:00Z", "2026-04-04T16:05:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			p := &v1alpha1.AppProject{}
			p.Spec.SyncWindows = v1alpha1.SyncWindows{{
				Kind: v1alpha1.SyncWindowDeny, Schedule: test.schedule, Duration: test.duration, TimeZone: test.zone, Applications: []string{"*"},
			}}
			verdict := tenancy.New(p).Windows(storefront()).Decide(moment(t, test.at), tenancy.Sync{})
			switch {
			case test.until == "" && !verdict.Allowed():
				t.Errorf("it is open %s", verdict)
			case test.until != "" && (verdict.Allowed() || !verdict.Until.Equal(moment(t, test.until))):
				t.Errorf("it is open until %s, want %s", verdict.Until.UTC(), test.until)
			}
		})
	}
}

func TestFaultsOfWindows(t *testing.T) {
	for name, test := range map[string]struct{ window, want string }{
		"no schedule":            {"kind: deny, duration: 1h", `schedule "" cannot be read`},
		"a schedule of six":      {"kind: deny, schedule: '0 0 1 * * *', duration: 1h", "cannot be read"},
		"an interval":            {"kind: deny, schedule: '@every 1h', duration: 1h", "names no times of the day"},
		"a day that never comes": {"kind: deny, schedule: '0 0 30 2 *', duration: 1h", "never comes"},
		"a zone alone":           {"kind: deny, schedule: 'TZ=UTC', duration: 1h", "cannot be read"},
		"a zone that is none":    {"kind: deny, schedule: '@daily', timeZone: Mars/Base, duration: 1h", `timeZone "Mars/Base"`},
		"the zone of a host":     {"kind: deny, schedule: '@daily', timeZone: Local, duration: 1h", `timeZone "Local"`},
		"no duration":            {"kind: deny, schedule: '@daily'", `duration ""`},
		"a duration of nothing":  {"kind: deny, schedule: '@daily', duration: 0s", `duration "0s"`},
		"an unknown kind":        {"kind: block, schedule: '@daily', duration: 1h", `kind is "block"`},
		"all of them":            {"kind: allow, schedule: x, duration: y", `spec.syncWindows[0] of the project "team" counts as one that never allows`},
	} {
		t.Run(name, func(t *testing.T) {
			windows := tenancy.New(project(t, "syncWindows: [{applications: ['*'], "+test.window+"}]")).Windows(storefront())
			if len(windows) != 1 {
				t.Fatalf("windows = %v", windows)
			}
			expect(t, windows[0].Fault(), test.want)
		})
	}
}

func TestWindowsOfGlobalProjectsAreInherited(t *testing.T) {
	global := project(t, "syncWindows: [{kind: deny, schedule: '* * * * *', duration: 1h, applications: ['*'], description: freeze}]")
	global.Name = "base"
	verdict := tenancy.New(project(t, ""), global).Windows(storefront()).Decide(moment(t, "2026-03-02 12:00"), tenancy.Sync{})
	if want := `by the deny window "freeze" of project "base"`; verdict.String() != want {
		t.Errorf("got %q, want %q", verdict, want)
	}
}

func FuzzWindow(f *testing.F) {
	f.Add("deny", "0 22 * * 1-5", "1h", "Europe/Berlin", "*", int64(1770000000))
	f.Add("allow", "TZ=UTC", "8760h", "", "[", int64(0))
	f.Add("deny", "CRON_TZ=Asia/Tokyo @daily", "1m", "Local", "", int64(-1))
	f.Fuzz(func(t *testing.T, kind, schedule, duration, zone, pattern string, unix int64) {
		p := &v1alpha1.AppProject{}
		p.Spec.SyncWindows = v1alpha1.SyncWindows{{Kind: kind, Schedule: schedule, Duration: duration, TimeZone: zone, Applications: []string{pattern}}}
		at := time.Unix(unix%(1<<33), 0)
		for _, w := range tenancy.New(p).Windows(storefront()) {
			verdict := tenancy.Windows{w}.Decide(at, tenancy.Sync{})
			if !verdict.Until.IsZero() && !verdict.Until.After(at) {
				t.Errorf("held at %s until %s", at, verdict.Until)
			}
		}
	})
}
