package dev.sluice.policy;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;

import dev.sluice.text.PercentEncoding;

/**
 * Interpretations of a request's path as segments.
 * <p>
 * Servers disagree about encoded slashes, backslashes, matrix parameters and dots, and a caller may exploit that to evade the
 * rule of an endpoint. A path that contains any of these has several interpretations, and the rules of all of them apply.
 */
public final class RequestPath {

    private RequestPath() {
    }

    /** Percent-encodes all characters that are not ASCII. Each character stands for one byte of the request. */
    public static String toAscii(String target) {
        int prefix = 0;
        while (prefix < target.length() && target.charAt(prefix) < 0x80) {
            prefix++;
        }
        if (prefix == target.length()) {
            return target;
        }
        var encoded = new StringBuilder(target.length() + 16).append(target, 0, prefix);
        for (int i = prefix; i < target.length(); i++) {
            char c = target.charAt(i);
            if (c < 0x80) {
                encoded.append(c);
            } else {
                PercentEncoding.append(encoded, c);
            }
        }
        return encoded.toString();
    }

    /** Returns the segments of a configured path. */
    static List<String> parseConfigured(String path) {
        return normalize(split(path, false, false));
    }

    /** Returns segments that are equal if the given ones differ only in case, as {@link String#equalsIgnoreCase} does. */
    static List<String> foldCase(List<String> segments) {
        return segments.stream().map(segment -> segment.toUpperCase(Locale.ROOT).toLowerCase(Locale.ROOT)).toList();
    }

    /** Returns the interpretations of a request's path; exactly one if it is unambiguous. */
    static Collection<List<String>> interpretations(String path) {
        if (isUnambiguous(path)) {
            return List.of(normalize(split(path, false, false)));
        }
        var encoded = toAscii(path);
        var interpretations = new LinkedHashSet<List<String>>();
        for (boolean decodeSlashes : new boolean[]{false, true}) {
            for (boolean dropParameters : new boolean[]{false, true}) {
                var segments = split(encoded, decodeSlashes, dropParameters);
                interpretations.add(normalize(segments));
                interpretations.add(segments.stream().filter(segment -> !segment.isEmpty()).toList());
            }
        }
        return interpretations;
    }

    private static boolean isUnambiguous(String path) {
        for (int i = 0; i < path.length(); i++) {
            char c = path.charAt(i);
            boolean dots = c == '.' && (i == 0 || path.charAt(i - 1) == '/');
            if (c == '%' || c == ';' || c == '\\' || dots || c >= 0x80) {
                return false;
            }
        }
        return true;
    }

    /**
     * @param decodeSlashes whether encoded slashes and backslashes separate segments
     * @param dropParameters whether a semicolon ends a segment
     */
    private static List<String> split(String path, boolean decodeSlashes, boolean dropParameters) {
        var segments = new ArrayList<String>();
        for (var raw : path.split("/")) {
            var segment = percentDecode(raw);
            for (var part : decodeSlashes ? segment.split("[/\\\\]") : new String[]{segment}) {
                int end = dropParameters ? part.indexOf(';') : -1;
                segments.add(end < 0 ? part : part.substring(0, end));
            }
        }
        return segments;
    }

    private static List<String> normalize(List<String> segments) {
        var normalized = new ArrayList<String>(segments.size());
        for (var segment : segments) {
            switch (segment) {
                case "", "." -> {
                }
                case ".." -> {
                    if (!normalized.isEmpty()) {
                        normalized.remove(normalized.size() - 1);
                    }
                }
                default -> normalized.add(segment);
            }
        }
        return normalized;
    }

    private static String percentDecode(String segment) {
        if (segment.indexOf('%') < 0) {
            return segment;
        }
        return new String(PercentEncoding.decode(segment.getBytes(StandardCharsets.UTF_8)), StandardCharsets.UTF_8);
    }
}
