# What the package must do where there is no Rust, as its new user finds it: run in a bare system that has gcc, man and
# three shells. In /tmp are the package, and the solution of a lab. Says of each trial `yes`, `NO` or `NOT RUN`.
# $1: the system's name.
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 BYTEHOP_LANG=en
cd /tmp || exit
failed=0

try() {
    what=$1
    shift
    "$@" >/tmp/try.log 2>&1
    case $? in
    0) said=yes ;;
    77) said="NOT RUN: this kernel does not let us trace" ;;
    *) said=NO failed=1 ;;
    esac
    echo "$system: $what: $said"
    [ "$said" = NO ] && tail -n 20 /tmp/try.log
}

no_rust() { ! command -v cargo && ! command -v rustc; }

# Its status 3: no level.
traces() {
    bytehop doctor >/dev/null 2>&1
    case $? in
    0) ;;
    3) return 77 ;;
    *) return 1 ;;
    esac
}


demo_live() {
    traces || return
    bytehop demo >demo.txt 2>&1
    cat demo.txt
    ! grep -q 'shown instead' demo.txt && grep -q 'DMA' demo.txt
}

# From the questions to a check that fails, and with the solution one that passes.
lab_live() {
    traces || return
    bytehop lab --no-tui --code c first-hops </dev/null >lab.txt || return 1
    cat lab.txt
    ! grep -q "the lab's recording" lab.txt || return 1
    ! bytehop lab --check first-hops || return 1
    cp solution.c ~/bytehop-labs/first-hops/copy.c || return 1
    bytehop lab --check first-hops
}

lab_replayed() { bytehop lab --replay --no-tui first-hops </dev/null | grep -q 'page cache'; }

without_rights() {
    setpriv --reuid=65534 --regid=65534 --clear-groups bytehop run -- true 2>&1 | grep -q 'tracing needs'
}

page() {
    man --warnings bytehop-run 2>man.log | grep -q 'EXIT STATUS' && test ! -s man.log
}

pages() {
    for verb in run attach stat top record view report cut annotate advise diff doctor lab setup demo completions; do
        man "bytehop-$verb" | grep -q NAME || return 1
    done
}

# `bytehop r` and Tab: record, report, run.
in_bash() {
    bash -c '. /usr/share/bash-completion/bash_completion
        _completion_loader bytehop
        COMP_WORDS=(bytehop r) COMP_CWORD=1
        _bytehop bytehop r bytehop
        echo "${COMPREPLY[*]}"
        test "$(printf "%s\n" "${COMPREPLY[@]}" | sort | xargs)" = "record report run"'
}

in_zsh() {
    # What packages bring is found without a word more.
    printf '%s\n' "autoload -Uz compinit" "compinit -u" "PROMPT='here> '" >~/.zshrc
    TERM=xterm timeout 120 zsh -fc 'zmodload zsh/zpty
        zpty z "exec zsh -i"
        zpty -r z said "*here>*"
        zpty -w -n z $'"'bytehop r\t'"'
        zpty -r z said "*record*report*run*"
        print -r -- $said'
}

in_fish() {
    test "$(HOME=/tmp fish -c 'complete -C "bytehop r"' | cut -f 1 | sort | xargs)" = "record report run"
}

libraries() { test -e /usr/share/bytehop/vendor/nix-*/Cargo.toml; }

removed() { dpkg -r bytehop && test ! -e /usr/bin/bytehop && test ! -e /usr/share/bytehop; }

system=$1
try "no Rust is here" no_rust
try "apt install ./bytehop_*.deb" apt-get install -qq -y ./bytehop_*.deb
try "it starts" bytehop --version
try "a recording" sh -c 'bytehop demo --replay | grep -q DMA'
try "the demo, live" demo_live
try "a lab, live, to a passing check" lab_live
try "a lab by its recording" lab_replayed
try "without rights one line" without_rights
try "man bytehop-run" page
try "a page for each verb" pages
try "bytehop r<Tab> in bash" in_bash
try "bytehop r<Tab> in zsh" in_zsh
try "bytehop r<Tab> in fish" in_fish
try "libraries of the labs" libraries
try "it can be removed" removed
exit $failed
