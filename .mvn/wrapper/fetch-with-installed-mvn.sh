#!/bin/sh
# Called by one line of mvnw, before its own download: fetch-with-installed-mvn.sh DISTRIBUTION_URL MAVEN_HOME
# Where the archive cannot be reached but some Maven is installed, that Maven (with the user's own settings and
# mirrors) fetches the distribution and MAVEN_HOME is filled from it. In every other case this does nothing, and
# mvnw goes on as it always does.
set -eu
url=$1 home=$2

command -v mvn >/dev/null 2>&1 || exit 0
if command -v curl >/dev/null 2>&1; then
  ! curl --silent --fail --head --location --max-time 10 --output /dev/null "$url" || exit 0
elif command -v wget >/dev/null 2>&1; then
  ! wget --quiet --spider --timeout=10 --tries=1 "$url" || exit 0
else
  exit 0
fi

name=${url##*/}
name=${name%-bin.*}
version=${name#apache-maven-}
echo "mvnw: $url cannot be reached; asking the installed mvn for Maven $version" >&2
mkdir -p "${home%/*}"
work=$(mktemp -d "${home%/*}/fetch.XXXXXX")
trap 'rm -rf -- "$work"' EXIT
trap 'exit 1' HUP INT TERM
# In a folder of its own, so that no pom.xml nor .mvn of the project is read by the older Maven.
cd "$work"
plugin=org.apache.maven.plugins:maven-dependency-plugin:3.8.1
distribution=org.apache.maven:apache-maven:$version:zip:bin
mvn --batch-mode --quiet "$plugin:copy" -Dartifact="$distribution" -DoutputDirectory="$work" >&2 || exit 0
if command -v unzip >/dev/null 2>&1; then
  unzip -q "$name-bin.zip"
elif command -v jar >/dev/null 2>&1; then
  jar xf "$name-bin.zip"
else
  "$JAVA_HOME/bin/jar" xf "$name-bin.zip"
fi
chmod +x "$name/bin/mvn"
mv -- "$name" "$home" 2>/dev/null || [ -d "$home" ]
