# What the proofs of this folder begin and end with; they source it in the repository's root, `part` being their name.
# Its arguments are theirs: ARCHIVE LOAD_ARCHIVE PYTHON. Both images have to be there for the cluster: on the local one
# and on kind they are loaded; elsewhere IMAGE and LOAD_IMAGE name what it can pull.
archive=${1:-${IMAGE:?no image was made}} load_archive=${2:-${LOAD_IMAGE:?no load image was made}} python=${3:?}
. k8s/cluster-at-hand.sh
kubectl=$(python3 -m k8s.local tool kubectl)
helm=$(python3 -m k8s.local tool helm)
export NAMESPACE=nlpserve-proof RELEASE=proof
out=${OUT:-out}/$part
load_image=${LOAD_IMAGE:-localhost/nlpserve-load:$("$python" -c 'import nlpserve; print(nlpserve.__version__)')}

remove() {
    "$helm" uninstall "$RELEASE" --namespace "$NAMESPACE" --ignore-not-found --wait
    "$kubectl" delete namespace "$NAMESPACE" --ignore-not-found
}
thrice() { # an INVALID run (exit code 2) is made again, twice at most
    for try in 1 2 3; do
        status=0
        "$@" || status=$?
        [ "$status" -eq 2 ] || return "$status"
        echo "INVALID, try $try of 3" >&2
    done
    return 2
}
missing=
measured() { # NAME COMMAND...: thrice; what stays INVALID is noted in `missing`, any other failure ends the proof
    name=$1
    shift
    status=0
    thrice "$@" || status=$?
    case $status in
        0) ;;
        2) missing="$missing $name" ;;
        *) exit "$status" ;;
    esac
}

trap remove EXIT
trap 'exit 130' INT TERM HUP # some shells run no EXIT trap on a signal
rm -rf "$out"
[ -n "${LOAD_IMAGE:-}" ] || k8s/load "$load_archive"
"$kubectl" apply -k k8s/loadtest
