package dev.sluice;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;

import org.junit.jupiter.api.Test;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;

/** The package structure that docs/architecture.md describes. */
class ArchitectureTest {

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests()).importPackages("dev.sluice");
    private static final int MAX_TYPES_PER_PACKAGE = 25;

    private static Stream<JavaClass> types() {
        return CLASSES.stream().filter(JavaClass::isTopLevelClass)
                .filter(type -> !type.getSimpleName().equals("package-info"));
    }

    @Test
    void packagesAreFreeOfCycles() {
        slices().matching("dev.sluice.(**)").should().beFreeOfCycles().check(CLASSES);
    }

    @Test
    void topLevelClassesAreFreeOfCycles() {
        slices().assignedFrom(new SliceAssignment() {

            @Override
            public SliceIdentifier getIdentifierOf(JavaClass type) {
                return SliceIdentifier.of(outermost(type).getName());
            }

            @Override
            public String getDescription() {
                return "top-level classes";
            }
        }).should().beFreeOfCycles().check(CLASSES);
    }

    private static JavaClass outermost(JavaClass type) {
        return type.getEnclosingClass().map(ArchitectureTest::outermost).orElse(type);
    }

    @Test
    void noPackageIsTooLarge() {
        var sizes = types()
                .collect(groupingBy(JavaClass::getPackageName, counting()));

        assertThat(sizes).hasSizeGreaterThan(25)
                .allSatisfy((name, types) -> assertThat(types).as(name).isLessThanOrEqualTo(MAX_TYPES_PER_PACKAGE));
    }

    @Test
    void simpleNamesAreUnique() {
        var names = types()
                .collect(groupingBy(JavaClass::getSimpleName, counting()));

        assertThat(names).allSatisfy((name, types) -> assertThat(types).as(name).isEqualTo(1));
    }

    @Test
    void apiNeedsOnlyTheJdkMutinyAndAnnotations() {
        classes().that().resideInAPackage("dev.sluice.api").should().onlyDependOnClassesThat()
                .resideInAnyPackage("java..", "io.smallrye.mutiny..", "jakarta.interceptor..", "jakarta.enterprise.util..",
                        "org.jspecify..", "com.fasterxml.jackson.annotation..",
                        "dev.sluice.api")
                .check(CLASSES);
    }

    @Test
    void onlyTheServiceAccessesTheService() {
        noClasses().that().resideOutsideOfPackage("dev.sluice.service..").should().dependOnClassesThat()
                .resideInAPackage("dev.sluice.service..").check(CLASSES);
    }

    @Test
    void libraryDoesNotNeedWhatOnlyTheServiceHas() {
        classes().that().resideOutsideOfPackage("dev.sluice.service..").should().onlyDependOnClassesThat()
                .resideOutsideOfPackages("com.fasterxml.jackson.databind..", "jakarta.validation..", "org.hibernate..",
                        "io.opentelemetry..", "io.quarkus.smallrye.jwt..",
                        "org.eclipse.microprofile.health..", "org.eclipse.microprofile.openapi..")
                .check(CLASSES);
    }

    @Test
    void implementationClassesOfFrameworksAreUsedOnlyByTheirAdapters() {
        noClasses().that().resideOutsideOfPackages("dev.sluice.redis", "dev.sluice.store.redis", "dev.sluice.service.edge",
                "dev.sluice.service.gateway", "dev.sluice.service.proxy", "dev.sluice.service.proxy.connection",
                "dev.sluice.service.config", "dev.sluice.llm.client")
                .should().dependOnClassesThat()
                .resideInAnyPackage("io.vertx..impl..", "org.jboss.resteasy.reactive.client.impl..")
                .check(CLASSES);
    }
}
