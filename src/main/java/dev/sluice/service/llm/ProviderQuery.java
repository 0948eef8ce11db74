package dev.sluice.service.llm;

import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

import io.netty.handler.codec.http.QueryStringDecoder;

/** Decodes the query of a call to a provider. */
public final class ProviderQuery {

    private static final Pattern UNDECODABLE = Pattern.compile("%(?![0-9a-fA-F]{2})");

    private ProviderQuery() {
    }

    /** Returns whether each percent sign of a query, null for none, is followed by two hexadecimal digits. */
    static boolean isDecodable(String query) {
        return query == null || !UNDECODABLE.matcher(query).find();
    }

    /** Decodes the parameters of a part of a query; empty if it cannot be decoded. */
    public static Map<String, List<String>> parameters(String part) {
        try {
            return new QueryStringDecoder(part, false).parameters();
        } catch (IllegalArgumentException e) {
            return Map.of();
        }
    }
}
