//! What `cosim` refuses before it builds anything.

use crate::common::Folder;

#[test]
fn wrong_input_is_refused_before_anything_is_built() {
    let folder = Folder::new("cosim-refusals");
    std::fs::create_dir(folder.at("case")).expect("a folder");
    folder.write("case/machine.toml", "name = 1\n");
    folder.write("file", "hi\n");
    let cases: [(&[&str], &str); 7] = [
        (&["cosim", "--machine", "tinny"], "did you mean `tiny`?"),
        (&["cosim", "--backpressure", "1"], "less than 1"),
        (&["cosim", "--random", "0"], "'--random <N>'"),
        (&["cosim", "--random", "2", "--prompt", "x"], "--prompt"),
        (&["cosim", "--reproduce", "nowhere"], "nowhere/machine.toml: no such file"),
        (&["cosim", "--reproduce", "case"], "machine.toml"),
        (&["cosim", "-o", "file/below"], "cannot be a folder"),
    ];
    let before = folder.names(".");
    for (arguments, needle) in cases {
        let ended = folder.run(arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(needle), "{arguments:?}: no `{needle}` in {}", ended.stderr);
    }
    assert_eq!(folder.names("."), before, "something was written");
    println!("{} refusals compared", cases.len());
}

#[test]
fn a_missing_tool_is_named_with_its_package() {
    let folder = Folder::new("cosim-tools");
    let cache = folder.at("cache");
    let mut command = folder.command(&["cosim", "--random", "1"]);
    let output = command.env("PATH", folder.at("empty")).env("XDG_CACHE_HOME", &cache).output().expect("it starts");
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("Debian package `verilator`"), "{stderr}");
    println!("1 refusal compared");
}
