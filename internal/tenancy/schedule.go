package tenancy

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// schedule names the moments at which a window opens.
type schedule struct {
	cron     *cron.SpecSchedule
	location *time.Location
}

// parseSchedule reads the five fields of cron, or a descriptor such as @daily, which stand in a time zone.
func parseSchedule(text, zone string) (schedule, error) {
	text = strings.TrimSpace(text)
	for _, prefix := range []string{"TZ=", "CRON_TZ="} {
		if rest, ok := strings.CutPrefix(text, prefix); ok {
			zone, text, _ = strings.Cut(rest, " ")
			break
		}
	}
	location, err := time.LoadLocation(zone)
	if err != nil || zone == "Local" {
		return schedule{}, fmt.Errorf("timeZone %q is no IANA time zone such as Europe/Amsterdam", zone)
	}
	parsed, err := cron.ParseStandard(strings.TrimSpace(text))
	if err != nil {
		return schedule{}, fmt.Errorf("schedule %q cannot be read: %w", text, err)
	}
	spec, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return schedule{}, fmt.Errorf("schedule %q names no times of the day", text)
	}
	spec.Location = time.UTC // it is asked about clock readings, see next
	if spec.Next(time.Unix(0, 0)).IsZero() {
		return schedule{}, errors.New("schedule " + text + " names a day that never comes")
	}
	return schedule{cron: spec, location: location}, nil
}

// next is the first opening after a moment; zero when there is none within years.
//
// The schedule is about what clocks on the wall read. So it is asked in terms of readings, and these are turned into
// moments one period of unchanging offset after the other. A reading that the clocks skip counts as the moment of the
// jump, and one that comes twice counts twice.
func (s schedule) next(after time.Time) time.Time {
	local := after.In(s.location)
	reading := readingOf(local)
	for {
		offset := offsetOf(local)
		opens := s.cron.Next(reading)
		if opens.IsZero() {
			return time.Time{}
		}
		moment := opens.Add(-offset).In(s.location)
		_, shift := local.ZoneBounds()
		if shift.IsZero() || moment.Before(shift) {
			return moment
		}
		local = shift.In(s.location)
		reading = readingOf(local)
		if opens.Before(reading) {
			return local
		}
		reading = reading.Add(-time.Second) // what opens just then counts
	}
}

// readingOf is what the clock on the wall shows, as a time of UTC.
func readingOf(local time.Time) time.Time { return local.Add(offsetOf(local)).UTC() }

func offsetOf(local time.Time) time.Duration {
	_, seconds := local.Zone()
	return time.Duration(seconds) * time.Second
}
