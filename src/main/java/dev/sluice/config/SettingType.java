package dev.sluice.config;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.ZoneId;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

import io.quarkus.runtime.configuration.DurationConverter;
import io.quarkus.runtime.configuration.MemorySizeConverter;

/** Type of the value of a setting. Decides which texts are valid, before the converters of the configuration read them. */
enum SettingType {
    /** The converter reads every unknown text as {@code false}. */
    BOOLEAN {
        @Override
        Optional<String> normalize(String text, List<String> choices) {
            var word = text.toLowerCase(Locale.ROOT);
            return TRUE.contains(word) ? Optional.of("true") : FALSE.contains(word) ? Optional.of("false") : Optional.empty();
        }

        @Override
        String allowed(String text, String defaultValue, List<String> choices) {
            return "true or false";
        }
    },
    /** A boolean that is part of an expression, which reads it as written. */
    SWITCH {
        @Override
        Optional<String> normalize(String text, List<String> choices) {
            return Optional.of(text).filter(word -> word.equals("true") || word.equals("false"));
        }

        @Override
        String allowed(String text, String defaultValue, List<String> choices) {
            return "true or false, in lower case";
        }
    },
    /** An {@code int}. */
    INTEGER {
        @Override
        Optional<String> normalize(String text, List<String> choices) {
            try {
                return Optional.of(Integer.toString(Integer.parseInt(text)));
            } catch (NumberFormatException e) {
                return Optional.empty();
            }
        }

        @Override
        String allowed(String text, String defaultValue, List<String> choices) {
            return "a whole number" + example(defaultValue);
        }
    },
    /** A duration with a unit. The converter would read a number without a unit as seconds. */
    DURATION {
        @Override
        Optional<String> normalize(String text, List<String> choices) {
            if (isNumber(text) && !text.matches("0+")) {
                return Optional.empty();
            }
            try {
                return Optional.of(text).filter(valid -> DurationConverter.parseDuration(valid).compareTo(MAX_DURATION) <= 0);
            } catch (DateTimeException | IllegalArgumentException | ArithmeticException e) {
                return Optional.empty();
            }
        }

        @Override
        String allowed(String text, String defaultValue, List<String> choices) {
            return isNumber(text)
                    ? "give a unit, such as " + text + unit(defaultValue) + " (ms, s, m, h, d)"
                    : "a duration with a unit (ms, s, m, h, d)" + example(defaultValue);
        }
    },
    /** An id of a time zone. */
    ZONE {
        @Override
        Optional<String> normalize(String text, List<String> choices) {
            try {
                return Optional.of(ZoneId.of(text).getId());
            } catch (DateTimeException e) {
                return Optional.empty();
            }
        }

        @Override
        String allowed(String text, String defaultValue, List<String> choices) {
            return "a time zone such as UTC, Europe/Berlin or +05:45" + ZoneId.getAvailableZoneIds().stream()
                    .filter(text::equalsIgnoreCase).findFirst().map(id -> "; did you mean " + id + "?").orElse("");
        }
    },
    /** A number of bytes, such as {@code 64M}. */
    SIZE {
        @Override
        Optional<String> normalize(String text, List<String> choices) {
            try {
                new MemorySizeConverter().convert(text).asBigInteger().longValueExact();
                return Optional.of(text);
            } catch (IllegalArgumentException | ArithmeticException e) {
                return Optional.empty();
            }
        }

        @Override
        String allowed(String text, String defaultValue, List<String> choices) {
            return "a size in bytes, or with a unit (K, M, G)" + example(defaultValue);
        }
    },
    /** One of several words. */
    CHOICE {
        @Override
        Optional<String> normalize(String text, List<String> choices) {
            var word = text.toLowerCase(Locale.ROOT).replace('_', '-');
            return choices.contains(word) ? Optional.of(word) : Optional.empty();
        }

        @Override
        String allowed(String text, String defaultValue, List<String> choices) {
            return list(choices) + Suggestions.hint(text.toLowerCase(Locale.ROOT), choices);
        }
    },
    /** Any text. The part of Sluice that uses it validates it. */
    TEXT,
    /** A text that no log or message may contain. */
    SECRET;

    /** Longer than any setting allows; conversions to nanoseconds do not overflow. */
    private static final Duration MAX_DURATION = Duration.ofDays(36_500);
    private static final Set<String> TRUE = Set.of("true", "yes", "y", "on", "1");
    private static final Set<String> FALSE = Set.of("false", "no", "n", "off", "0");

    /**
     * Returns a text in a form that the converters read; empty if it is invalid.
     *
     * @param text a stripped text that is not empty
     * @param choices the allowed words of a {@link #CHOICE}
     */
    Optional<String> normalize(String text, List<String> choices) {
        return Optional.of(text);
    }

    /**
     * Describes what is allowed in place of an invalid text.
     *
     * @param defaultValue null if there is none
     */
    String allowed(String text, String defaultValue, List<String> choices) {
        return "a text";
    }

    /** Formats a duration with the largest units that represent it exactly: {@code 1m30s}, {@code 0s}. */
    static String format(Duration duration) {
        if (duration.isNegative() || duration.isZero()) {
            return duration.isZero() ? "0s" : '-' + format(duration.negated());
        }
        var text = new StringBuilder();
        append(text, duration.toDaysPart(), "d");
        append(text, duration.toHoursPart(), "h");
        append(text, duration.toMinutesPart(), "m");
        append(text, duration.toSecondsPart(), "s");
        append(text, duration.toMillisPart(), "ms");
        append(text, duration.toNanosPart() % 1_000_000, "ns");
        return text.toString();
    }

    private static void append(StringBuilder text, long count, String unit) {
        if (count > 0) {
            text.append(count).append(unit);
        }
    }

    private static String list(List<String> words) {
        int last = words.size() - 1;
        return String.join(", ", words.subList(0, last)) + " or " + words.get(last);
    }

    private static String example(String defaultValue) {
        return defaultValue == null ? "" : ", such as " + defaultValue;
    }

    private static String unit(String defaultValue) {
        return defaultValue == null ? "s" : defaultValue.replaceAll("[0-9]", "");
    }

    private static boolean isNumber(String text) {
        return text.chars().allMatch(c -> c >= '0' && c <= '9');
    }
}
