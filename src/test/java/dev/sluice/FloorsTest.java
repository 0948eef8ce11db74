package dev.sluice;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import org.junit.jupiter.api.Test;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;

/** Each package stands only on those below it. */
class FloorsTest {

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests()).importPackages("dev.sluice");

    @Test
    void nothingLooksUp() {
        layeredArchitecture().consideringOnlyDependenciesInLayers()
                .layer("service").definedBy("dev.sluice.service..")
                .layer("http").definedBy("dev.sluice.http..")
                .layer("llm").definedBy("dev.sluice.llm..")
                .layer("annotation").definedBy("dev.sluice.annotation..")
                .layer("policy").definedBy("dev.sluice.policy..")
                .layer("caller").definedBy("dev.sluice.caller..")
                .layer("ops").definedBy("dev.sluice.ops..")
                .layer("window").definedBy("dev.sluice.window..")
                .layer("redis").definedBy("dev.sluice.redis..")
                .layer("file").definedBy("dev.sluice.file..")
                .layer("limit").definedBy("dev.sluice.limit..")
                .whereLayer("service").mayNotBeAccessedByAnyLayer()
                .whereLayer("ops").mayNotBeAccessedByAnyLayer()
                .whereLayer("http").mayOnlyBeAccessedByLayers("service")
                .whereLayer("llm").mayOnlyBeAccessedByLayers("service")
                .whereLayer("annotation").mayOnlyBeAccessedByLayers("service", "http", "llm")
                .whereLayer("policy").mayOnlyBeAccessedByLayers("service", "http", "annotation", "llm")
                .whereLayer("caller").mayOnlyBeAccessedByLayers("service", "http", "annotation", "policy", "llm")
                .whereLayer("window").mayOnlyBeAccessedByLayers("service", "ops")
                .whereLayer("redis").mayOnlyBeAccessedByLayers("service", "llm", "window")
                .whereLayer("file").mayOnlyBeAccessedByLayers("service", "llm", "policy", "caller", "ops")
                .check(CLASSES);
    }

    @Test
    void noCircles() {
        slices().matching("dev.sluice.(*)..").should().beFreeOfCycles().check(CLASSES);
    }

    @Test
    void vocabularyNeedsNothingButTheJdkAndMutiny() {
        classes().that().resideInAPackage("dev.sluice.limit..").should().onlyDependOnClassesThat()
                .resideInAnyPackage("java..", "io.smallrye.mutiny..", "dev.sluice.limit..").check(CLASSES);
    }

    @Test
    void libraryDoesNotNeedWhatOnlyTheServiceHas() {
        classes().that().resideOutsideOfPackage("dev.sluice.service..").should().onlyDependOnClassesThat()
                .resideOutsideOfPackages("com.fasterxml.jackson.databind..", "com.fasterxml.jackson.annotation..",
                        "io.vertx.httpproxy..", "io.opentelemetry..", "io.quarkus.smallrye.jwt..",
                        "org.eclipse.microprofile.health..", "org.eclipse.microprofile.openapi..")
                .check(CLASSES);
    }
}
