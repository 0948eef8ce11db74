package dev.sluice.interceptor;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

import dev.sluice.api.RateLimited;
import dev.sluice.identity.Identity;

/** The text of {@link RateLimited#key()}, taken apart: what stands at odd places is the name of a value. */
final class KeyTemplate {

    private final List<String> parts = new ArrayList<>();

    KeyTemplate(String text) {
        int from = 0;
        while (from <= text.length()) {
            int open = text.indexOf('{', from);
            int close = open < 0 ? -1 : text.indexOf('}', open);
            if (close < 0) {
                parts.add(text.substring(from));
                return;
            }
            parts.add(text.substring(from, open));
            parts.add(text.substring(open + 1, close));
            from = close + 1;
        }
    }

    List<String> placeholders() {
        var names = new ArrayList<String>();
        for (int i = 1; i < parts.size(); i += 2) {
            names.add(parts.get(i));
        }
        return names;
    }

    String identifier(UnaryOperator<String> values) {
        var text = new StringBuilder();
        for (int i = 0; i < parts.size(); i++) {
            text.append(i % 2 == 0 ? parts.get(i) : values.apply(parts.get(i)));
        }
        return Identity.keyIdentifier(text.toString());
    }
}
