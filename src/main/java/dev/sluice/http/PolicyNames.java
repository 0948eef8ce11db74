package dev.sluice.http;

import java.util.Arrays;
import java.util.List;

import dev.sluice.api.QuotaStatus;
import dev.sluice.api.QuotaUnit;
import dev.sluice.identity.Sha256;

/**
 * Names of the quotas of one decision, all different: the resource, preceded by the identifier if it is not that of the first quota
 * ({@code team:growth/api}), and followed by the length of the window in seconds, or {@code in-flight}, if there are several of the resource, and by a number
 * if a calendar period and a sliding window have the same length. A name of which a header field would have more than
 * {@value #MAX_ENCODED} characters is shortened, and ends with a hash of the whole.
 */
final class PolicyNames {

    /** Maximum length of a name in a header field: a field has room for two members at least. */
    static final int MAX_ENCODED = 512;

    /** Maximum number of characters in a header field for a UTF-16 code unit: three bytes, percent-encoded. */
    private static final int MAX_PER_CHAR = 9;
    private static final int HASH_DIGITS = 8;

    private PolicyNames() {
    }

    /** Returns the name of each quota. */
    static List<String> of(List<QuotaStatus> quotas) {
        if (quotas.size() == 1) {
            return List.of(shortened(quotas.get(0).resource()));
        }
        var names = new String[quotas.size()];
        boolean unique = true;
        for (int i = 0; i < names.length; i++) {
            var quota = quotas.get(i);
            names[i] = quota.identifier().equals(quotas.get(0).identifier())
                    ? quota.resource()
                    : quota.identifier() + '/' + quota.resource();
            unique &= occurrences(names, names[i], i) == 0;
        }
        var all = unique ? names : distinguished(names, quotas);
        for (int i = 0; i < all.length; i++) {
            all[i] = shortened(all[i]);
        }
        return Arrays.asList(all);
    }

    private static String shortened(String name) {
        if (name.length() <= MAX_ENCODED / MAX_PER_CHAR) {
            return name;
        }
        int length = 0;
        int fitting = 0;
        for (int i = 0; i < name.length();) {
            int codePoint = name.codePointAt(i);
            length += encodedLength(codePoint);
            i += Character.charCount(codePoint);
            if (length <= MAX_ENCODED - 1 - HASH_DIGITS) {
                fitting = i;
            }
        }
        return length <= MAX_ENCODED
                ? name
                : name.substring(0, fitting) + '~' + Sha256.hex(name).substring(0, HASH_DIGITS);
    }

    /** Returns the number of characters with which {@link StandardMembers} writes a code point, at most. */
    private static int encodedLength(int codePoint) {
        if (codePoint < ' ' || codePoint == 0x7f) {
            return 3;
        }
        if (codePoint < 0x7f) {
            return codePoint == '"' || codePoint == '\\' ? 2 : 1;
        }
        return codePoint < 0x800 ? 6 : codePoint <= Character.MAX_VALUE ? MAX_PER_CHAR : 12;
    }

    private static String suffix(QuotaStatus quota) {
        return quota.unit() == QuotaUnit.CONCURRENT_REQUESTS ? "in-flight" : Long.toString(quota.window().toSeconds());
    }

    private static String[] distinguished(String[] names, List<QuotaStatus> quotas) {
        var withWindows = names.clone();
        for (int i = 0; i < names.length; i++) {
            if (occurrences(names, names[i], names.length) > 1) {
                withWindows[i] = names[i] + '/' + suffix(quotas.get(i));
            }
        }
        var result = withWindows.clone();
        for (int i = 0; i < names.length; i++) {
            int earlier = occurrences(withWindows, withWindows[i], i);
            result[i] = earlier == 0 ? withWindows[i] : withWindows[i] + '/' + (earlier + 1);
        }
        return result;
    }

    /** Returns how often a name is among the first ones. */
    private static int occurrences(String[] names, String name, int count) {
        int occurrences = 0;
        for (int i = 0; i < count; i++) {
            occurrences += names[i].equals(name) ? 1 : 0;
        }
        return occurrences;
    }
}
