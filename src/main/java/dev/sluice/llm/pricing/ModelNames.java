package dev.sluice.llm.pricing;

import java.time.Month;
import java.time.YearMonth;
import java.util.function.Function;

import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderType;

/**
 * Resolves the names under which a model can be called. A name means one model: it stands for itself and is an alias by the
 * providers' documented forms only. A name with another suffix ({@code -pro}, {@code -mini}, {@code -audio}) is another model.
 * <p>
 * The forms are removed in this order, each at most once: the prefix {@code models/}; the provider's own prefix, such as
 * {@code openai/}; all that follows the base model in the name of a fine-tuned model ({@code ft:<base>:<organization>:…}), whose
 * prices differ from the base's; dots in the version of a Claude model; and one suffix, which is a date or {@code -latest}. The
 * latest model is not the base of dated ones.
 */
public final class ModelNames {

    /** Length in characters up to which a name is resolved; longer ones name no model. */
    public static final int MAX_LENGTH = 256;

    private static final String MODELS_PREFIX = "models/";
    private static final String FINE_TUNED_PREFIX = "ft:";
    private static final String CLAUDE_PREFIX = "claude-";
    private static final String LATEST_SUFFIX = "-latest";
    private static final int FIRST_YEAR = 2018;
    private static final int LAST_YEAR = 2099;
    private static final int LONGEST_DATE = "-2026-11-29".length();

    private static final int STEPS = 5;

    private ModelNames() {
    }

    /**
     * Looks up a name and then the names of which it is an alias, in order, until there is a result. The work is bounded and
     * linear in the name's length, so that it can be done on an event loop with the name of a request.
     *
     * @param provider the provider whose forms apply
     * @param name the model's name as requested, of any length
     * @param lookup returns the result for exactly one name; null if there is none
     * @return the first result; null if there is none
     */
    public static <T> T find(Provider provider, String name, Function<String, T> lookup) {
        if (name.length() > MAX_LENGTH) {
            return null;
        }
        var current = name;
        var result = lookup.apply(current);
        for (int step = 0; result == null && step < STEPS; step++) {
            var alias = alias(step, provider, current);
            if (!alias.equals(current)) {
                current = alias;
                result = lookup.apply(current);
            }
        }
        return result;
    }

    /** Returns a name without the form that a step removes; the same name if it does not have the form. */
    private static String alias(int step, Provider provider, String name) {
        return switch (step) {
            case 0 -> withoutModelsPrefix(name);
            case 1 -> withoutProvider(provider, name);
            case 2 -> withoutOrganization(provider, name);
            case 3 -> withoutDots(provider, name);
            default -> withoutVersion(provider, name);
        };
    }

    /** Returns a name without the prefix that the names of Gemini's models may have. */
    static String withoutModelsPrefix(String name) {
        return withoutPrefix(name, MODELS_PREFIX);
    }

    private static String withoutProvider(Provider provider, String name) {
        int end = provider.id().length();
        if (name.length() > end && name.charAt(end) == '/' && name.startsWith(provider.id())) {
            return name.substring(end + 1);
        }
        return provider.is(ProviderType.GEMINI) ? withoutPrefix(name, "google/") : name;
    }

    private static String withoutPrefix(String name, String prefix) {
        return name.startsWith(prefix) ? name.substring(prefix.length()) : name;
    }

    private static String withoutOrganization(Provider provider, String name) {
        if (!provider.is(ProviderType.OPENAI) || !name.startsWith(FINE_TUNED_PREFIX)) {
            return name;
        }
        int end = name.indexOf(':', FINE_TUNED_PREFIX.length());
        return end < 0 ? name : name.substring(0, end);
    }

    private static String withoutDots(Provider provider, String name) {
        if (!isClaude(provider, name) || name.indexOf('.') < 0) {
            return name;
        }
        var chars = name.toCharArray();
        for (int i = 1; i < chars.length - 1; i++) {
            if (chars[i] == '.' && isDigit(chars[i - 1]) && isDigit(chars[i + 1])) {
                chars[i] = '-';
            }
        }
        return new String(chars);
    }

    private static boolean isClaude(Provider provider, String name) {
        return provider.is(ProviderType.ANTHROPIC) && name.startsWith(CLAUDE_PREFIX);
    }

    private static String withoutVersion(Provider provider, String name) {
        if (name.endsWith(LATEST_SUFFIX)) {
            return name.substring(0, name.length() - LATEST_SUFFIX.length());
        }
        int end = startOfDate(provider, name);
        return end <= 0 || name.startsWith(LATEST_SUFFIX, end - LATEST_SUFFIX.length()) ? name : name.substring(0, end);
    }

    /**
     * Returns the index at which the date at the end of a name begins, with its separator: {@code -YYYY-MM-DD},
     * {@code -YYYYMMDD}, {@code -MMDD}, {@code -NNN} as of Gemini's models, or {@code @YYYYMMDD} of a Claude model; negative if there is none.
     */
    private static int startOfDate(Provider provider, String name) {
        int start = name.length();
        while (start > 0 && isDigit(name.charAt(start - 1)) && name.length() - start < LONGEST_DATE) {
            start--;
        }
        if (start == 0) {
            return -1;
        }
        int separator = start - 1;
        boolean hyphen = name.charAt(separator) == '-';
        return switch (name.length() - start) {
            case 2 -> startOfHyphenatedDate(name);
            case 3 -> hyphen ? separator : -1;
            case 4 -> hyphen && isDay(number(name, start, 2), number(name, start + 2, 2)) ? separator : -1;
            case 8 -> (hyphen || name.charAt(separator) == '@' && isClaude(provider, name))
                    && isDate(number(name, start, 4), number(name, start + 4, 2), number(name, start + 6, 2)) ? separator : -1;
            default -> -1;
        };
    }

    private static int startOfHyphenatedDate(String name) {
        int start = name.length() - LONGEST_DATE;
        if (start < 0) {
            return -1;
        }
        boolean hyphens = name.charAt(start) == '-' && name.charAt(start + 5) == '-' && name.charAt(start + 8) == '-';
        return hyphens && isDate(number(name, start + 1, 4), number(name, start + 6, 2), number(name, start + 9, 2))
                ? start
                : -1;
    }

    private static boolean isDate(int year, int month, int day) {
        return year >= FIRST_YEAR && year <= LAST_YEAR && isDay(month, day) && YearMonth.of(year, month).isValidDay(day);
    }

    /** Returns whether the day exists in the month of any year. */
    private static boolean isDay(int month, int day) {
        return month >= 1 && month <= 12 && day >= 1 && day <= Month.of(month).maxLength();
    }

    /** Returns the number of that many digits; negative if there is another character. */
    private static int number(String text, int start, int digits) {
        int number = 0;
        for (int i = start; i < start + digits; i++) {
            if (!isDigit(text.charAt(i))) {
                return -1;
            }
            number = 10 * number + text.charAt(i) - '0';
        }
        return number;
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }
}
