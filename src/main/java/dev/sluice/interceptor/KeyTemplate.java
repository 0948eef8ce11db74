package dev.sluice.interceptor;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

import dev.sluice.api.RateLimited;
import dev.sluice.identity.Identity;

/** Parsed text of {@link RateLimited#key()}. */
final class KeyTemplate {

    /** Literals at even indexes, names of placeholders at odd ones. */
    private final List<String> parts = new ArrayList<>();

    KeyTemplate(String text) {
        int start = 0;
        while (start <= text.length()) {
            int open = text.indexOf('{', start);
            int close = open < 0 ? -1 : text.indexOf('}', open);
            if (close < 0) {
                parts.add(text.substring(start));
                return;
            }
            parts.add(text.substring(start, open));
            parts.add(text.substring(open + 1, close));
            start = close + 1;
        }
    }

    List<String> placeholders() {
        var names = new ArrayList<String>();
        for (int i = 1; i < parts.size(); i += 2) {
            names.add(parts.get(i));
        }
        return names;
    }

    /** Returns the identifier with the placeholders replaced by their values. */
    String identifier(UnaryOperator<String> values) {
        var text = new StringBuilder();
        for (int i = 0; i < parts.size(); i++) {
            text.append(i % 2 == 0 ? parts.get(i) : values.apply(parts.get(i)));
        }
        return Identity.keyIdentifier(text.toString());
    }
}
