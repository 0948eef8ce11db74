package dev.sluice.service.rls;

import static dev.sluice.service.rls.Requests.descriptor;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Optional;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.sluice.config.ConfigProblems;
import dev.sluice.config.RulesDocuments;

/** Rules that apply to descriptors. Examples 1 to 9 are those of envoyproxy/ratelimit's README. */
class DescriptorMatchTest {

    private static final String TREE = """
            domain: d
            descriptors:
              - {key: database, value: users, rate_limit: {name: users, unit: second, requests_per_unit: 500}}
              - {key: database, rate_limit: {name: databases, unit: second, requests_per_unit: 400}}
              - key: message_type
                value: marketing
                descriptors:
                  - {key: to_number, rate_limit: {unit: day, requests_per_unit: 5}}
              - {key: key, value: value, rate_limit: {name: shallow, unit: second, requests_per_unit: 300}}
              - {key: path, value: /a*, rate_limit: {name: a, unit: second, requests_per_unit: 1}}
              - {key: path, value: /abc*, rate_limit: {name: abc, unit: second, requests_per_unit: 1}}
              - {key: path, value: /abc, rate_limit: {name: exact, unit: second, requests_per_unit: 1}}
              - {key: path, value: "/*/x/*/y", rate_limit: {name: middle, unit: second, requests_per_unit: 1}}
              - {key: path, value: "*", rate_limit: {name: all, unit: second, requests_per_unit: 1}}
              - {key: file, value: f/*, share_threshold: true, rate_limit: {unit: second, requests_per_unit: 1}}
              - {key: file, value: g/*, rate_limit: {unit: second, requests_per_unit: 1}}
              - {key: detail, detailed_metric: true, rate_limit: {unit: second, requests_per_unit: 1}}
              - key: route
                value_to_metric: true
                descriptors:
                  - {key: method, rate_limit: {unit: second, requests_per_unit: 1}}
              - {key: white}
            """;

    private static final DescriptorNode ROOT = read();

    private static DescriptorNode read() {
        var problems = new ConfigProblems();
        var reader = new DomainReader(problems);
        reader.readForeign(java.util.List.of(RulesDocuments.foreign(TREE)));
        assertThat(problems.lines()).isEmpty();
        return reader.domains().get("d");
    }

    private static Optional<DescriptorMatch> match(String entries) {
        return DescriptorMatch.find("d", ROOT,
                descriptor(Arrays.stream(entries.split(" ")).flatMap(entry -> Arrays.stream(entry.split("=", 2)))
                        .toArray(String[]::new)));
    }

    @ParameterizedTest
    @CsvSource({"database=users, users, rls:d:database=users", "database=other, databases, rls:d:database=other",
            "database=, databases, rls:d:database=",
            "message_type=marketing to_number=206, message_type.to_number, rls:d:message_type=marketing|to_number=206",
            "key=value, shallow, rls:d:key=value", "path=/a, a, rls:d:path=/a", "path=/abcd, abc, rls:d:path=/abcd",
            "path=/abc, exact, rls:d:path=/abc", "path=/1/x/2/y, middle, rls:d:path=/1/x/2/y",
            "path=/1/x/y, all, rls:d:path=/1/x/y", "path=b, all, rls:d:path=b", "file=f/a.pdf, file, rls:d:file=f/*",
            "file=f/b.pdf, file, rls:d:file=f/*", "file=g/a.pdf, file, rls:d:file=g/a.pdf"})
    void mostSpecificRuleApplies(String entries, String resource, String identifier) {
        var match = match(entries).orElseThrow();
        assertThat(match.resource()).isEqualTo(resource);
        assertThat(match.identifier()).isEqualTo(identifier);
        assertThat(match.label()).isEqualTo(resource);
    }

    @ParameterizedTest
    @CsvSource({"other=1", "key=value sub=1", "key=other", "message_type=marketing", "message_type=other to_number=1",
            "message_type=marketing other=1", "white=1", "file=h/a"})
    void rulesApplyToAllEntriesOrNot(String entries) {
        assertThat(match(entries)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"detail=x, detail_x", "route=/home method=GET, route_/home.method"})
    void valuesAreInMetricsWhereTheRuleAsksForThem(String entries, String label) {
        assertThat(match(entries).orElseThrow().label()).isEqualTo(label);
    }

    @Test
    void longNamesAreReplacedByTheirHash() {
        var entries = DescriptorMatch.find("d", ROOT, descriptor("database", "x".repeat(300))).orElseThrow().identifier();
        assertThat(entries).startsWith("rls:d:sha256:").hasSize(13 + 64);
        var domain = DescriptorMatch.find("d".repeat(300), ROOT, descriptor("database", "x")).orElseThrow().identifier();
        assertThat(domain).startsWith("rls:sha256:").endsWith(":database=x");
    }

    @ParameterizedTest
    @CsvSource({"a*, a, true", "a*, abc, true", "a*, ba, false", "*c, abc, true", "*c, abcd, false", "a*c, ac, true",
            "a*c, abc, true", "aba*aba, aba, false", "aba*aba, abaaba, true", "a*b*c, axxbyyc, true", "a*b*c, axxcyyb, false",
            "'*', '', true", "**, x, true"})
    void patternsMatchAnyNumberOfCharacters(String pattern, String value, boolean matches) {
        assertThat(new ValuePattern(pattern).matches(value)).isEqualTo(matches);
    }
}
