package dev.sluice.service.rls;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.sluice.config.ConfigProblems;
import dev.sluice.config.RulesDocuments;

class DomainReaderTest {

    private static List<String> problems(String... files) {
        var problems = new ConfigProblems();
        new DomainReader(problems).readForeign(Arrays.stream(files).map(RulesDocuments::foreign).toList());
        return problems.lines();
    }

    private static String descriptors(String descriptor) {
        return "domain: d\ndescriptors:\n- " + descriptor.replace("; ", "\n- ") + '\n';
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
            "{value: x}                                                      | 3 | a descriptor needs a key",
            "{key: a}; {key: a}                                              | 4 | a second descriptor with this key and value",
            "{key: a, value: x}; {key: a, value: x}                          | 4 | a second descriptor",
            "{key: a, value: x*}; {key: a, value: x*}                        | 4 | a second descriptor",
            "{key: a, rate_limit: {unit: fortnight, requests_per_unit: 1}}   | 3 | unit must be second, minute, hour",
            "{key: a, rate_limit: {requests_per_unit: 1}}                    | 3 | unit must be second, minute, hour",
            "{key: a, rate_limit: {unit: day, unlimited: true}}              | 3 | no unit if unlimited is true",
            "{key: a, rate_limit: {unit: day, requests_per_unit: -1}}        | 3 | a whole number from 0 to 4294967295",
            "{key: a, rate_limit: {unit: day, requests_per_unit: 5000000000}} | 3 | a whole number from 0 to 4294967295",
            "{key: a, ratelimit: {unit: day, requests_per_unit: 1}}          | 3 | an unknown key",
            "{key: a, rate_limit: {unit: day, requests: 1}}                  | 3 | an unknown key",
            "{key: a, share_threshold: true}                                 | 3 | share_threshold needs a value with *",
            "{key: a, shadow_mode: maybe}                                    | 3 | true or false",
            "{key: a, charge: true, shadow_mode: true}                       | 3 | charge cannot be combined",
            "{key: a, rate: 1/minute, rate_limit: {unit: day}}               | 3 | either rate or rate_limit",
            "{key: a, rate: ten}                                             | 3 | not of the form COUNT/WINDOW",
            "{key: a, rate_limit: {name: n, unit: day, replaces: [{name: n}]}} | 3 | cannot replace itself",
            "{key: a, rate_limit: {unit: day, replaces: [{name: ''}]}}       | 3 | replaces needs the name"})
    void mistakesAreReportedWithFileAndLine(String descriptor, int line, String message) {
        assertThat(problems(descriptors(descriptor))).singleElement().asString().startsWith("envoy.yaml:" + line + ": ")
                .contains(message);
    }

    @Test
    void allMistakesAreReportedTogether() {
        assertThat(problems(descriptors("{value: x}; {key: b, rate_limit: {unit: x}}"), "descriptors: []\n")).hasSize(3);
    }

    @Test
    void domainsAreInOneFile() {
        assertThat(problems("domain: d\n", "domain: d\n")).singleElement().asString()
                .contains("envoy.yaml:1: domain=d: a second domain of this name");
        assertThat(problems("descriptors: []\n")).singleElement().asString().contains("needs the name of its domain");
    }

    /** envoyproxy/ratelimit accepts these too. */
    @Test
    void configurationsOfEnvoyproxyAreAccepted() {
        assertThat(problems("""
                # a comment
                domain: rl
                descriptors:
                  - &base
                    key: a
                    value: 1
                    rate_limit: &limit
                      unit: MINUTE
                      requests_per_unit: 1_000
                    shadow_mode: yes
                    quota_mode: false
                    detailed_metric: True
                    value_to_metric: false
                    metadata: {team: {name: x, tags: [1, 2]}}
                  - <<: *base
                    key: b
                  - key: c
                    value:
                    rate_limit: *limit
                    descriptors:
                  - key: d
                    rate_limit: {unlimited: true, name: u, replaces: [{name: other}]}
                  - {key: e, rate_limit: {unit: year, requests_per_unit: 4294967295}}
                  - {key: f, rate_limit: {unit: week}}
                """)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"domains: {d: [{key: a, rate: 1/minute}]}",
            "domains: {d: {descriptors: [{key: a, rate: 1/minute}]}}",
            "domains: [{domain: d, descriptors: [{key: a, rate: 1/minute}]}]"})
    void rulesFilesHaveDomainsInThreeForms(String yaml) {
        var problems = new ConfigProblems();
        var reader = new DomainReader(problems);
        reader.readRules(RulesDocuments.of(yaml + '\n'));
        assertThat(problems.lines()).isEmpty();
        assertThat(DescriptorMatch.find("d", reader.domains().get("d"), Requests.descriptor("a", "x"))).isPresent();
    }

    @Test
    void exampleOfTheDocumentationIsValid() throws IOException {
        var example = Pattern.compile("```yaml\n(domains:.*?)```", Pattern.DOTALL)
                .matcher(Files.readString(Path.of("docs/proxies.md")));
        assertThat(example.find()).isTrue();
        var problems = new ConfigProblems();
        var reader = new DomainReader(problems);
        reader.readRules(RulesDocuments.of(example.group(1)));
        assertThat(problems.lines()).isEmpty();
        var edge = reader.domains().get("edge");
        assertThat(DescriptorMatch.find("edge", edge, Requests.descriptor("path", "/search/books")).orElseThrow().resource())
                .isEqualTo("search");
        assertThat(DescriptorMatch.find("edge", edge, Requests.descriptor("remote_address", "192.0.2.1"))).isPresent();
    }

    @Test
    void aliasesCannotExpandWithoutBound() {
        var yaml = new StringBuilder("domain: d\ndescriptors:\n- &a0 {key: k, descriptors: [{key: x}]}\n");
        for (int i = 1; i < 30; i++) {
            yaml.append("- &a").append(i).append(" {key: k").append(i).append(", descriptors: [*a").append(i - 1).append(", *a")
                    .append(i - 1).append("]}\n");
        }
        assertThat(RulesDocuments.foreignProblem(yaml.toString())).contains("expands to more than");
        assertThat(RulesDocuments.foreignProblem("domain: d\ndescriptors: &a\n- {key: k, descriptors: *a}\n")).contains("deep");
    }
}
