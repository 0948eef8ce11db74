package dev.sluice.llm.protocol.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;

/** JSON parsers for bodies that are completely in memory. */
public final class BodyJson {

    public static final JsonFactory FACTORY = JsonFactory.builder().disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .disable(JsonFactory.Feature.CHARSET_DETECTION)
            // Limits the strings that are read; skipped ones may be of any length.
            .streamReadConstraints(StreamReadConstraints.builder().maxStringLength(1 << 16).build()).build();

    private BodyJson() {
    }
}
