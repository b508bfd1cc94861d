//! `rtl`: the folder is whole, says the same each time, and is never written over anything.

use crate::common::Folder;

/// All files below a folder, with their bytes, by path.
fn files(folder: &Folder, name: &str) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in folder.names(name) {
        let path = format!("{name}/{entry}");
        if folder.at(&path).is_dir() {
            found.extend(files(folder, &path));
        } else {
            found.push((path.clone(), folder.read(&path)));
        }
    }
    found
}

/// The paths without the folder's own name.
fn inner(files: &[(String, Vec<u8>)]) -> Vec<(&str, &[u8])> {
    files.iter().map(|(path, bytes)| (path.split_once('/').expect("a path").1, bytes.as_slice())).collect()
}

#[test]
fn the_folder_is_whole_and_the_same_each_time() {
    let folder = Folder::new("rtl-same");
    let table = folder.must(&["-q", "rtl", "-o", "first"]);
    for part in ["rtl/", "tb/", "vectors/", "vivado/", "vitis/", "host/"] {
        assert!(table.contains(part), "{part}: {table}");
    }
    let summary = folder.json(&["-q", "rtl", "-o", "deep/second", "--json"]);
    folder.must(&["-q", "rtl", "-o", "other", "--seed", "2"]);
    let (first, second, other) = (files(&folder, "first"), files(&folder, "deep/second"), files(&folder, "other"));
    let second: Vec<(String, Vec<u8>)> =
        second.into_iter().map(|(path, bytes)| (path.replacen("deep/", "", 1), bytes)).collect();
    assert_eq!(inner(&first), inner(&second));
    let listed: Vec<&str> = summary["files"].as_array().expect("a list").iter().filter_map(|f| f.as_str()).collect();
    assert_eq!(listed.len() + 1, first.len());
    assert!(inner(&first).iter().all(|(path, _)| *path == "summary.json" || listed.contains(path)));
    // Another seed is another program and memory, and the same Verilog.
    let (first, other) = (inner(&first), inner(&other));
    let differ: Vec<&str> = first.iter().zip(&other).filter(|(a, b)| a != b).map(|(a, _)| a.0).collect();
    assert!(
        differ.contains(&"vectors/program_0.hex") && !differ.iter().any(|path| path.starts_with("rtl/")),
        "{differ:?}"
    );
    assert_eq!(folder.names("."), ["deep", "first", "other"], "nothing else lies there");
    println!("compared {} files", first.len());
    assert!(first.len() > 30);
}

#[test]
fn nothing_is_written_over() {
    let folder = Folder::new("rtl-used");
    folder.write("file", "not a folder");
    std::fs::create_dir(folder.at("used")).expect("a folder");
    folder.write("used/precious", "1");
    for (output, message) in
        [("used", "the folder is not empty"), ("file", "cannot be a folder"), ("file/below", "cannot be a folder")]
    {
        let ended = folder.run(&["rtl", "-o", output]);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{output}");
        assert!(ended.stderr.contains(message), "{output}: {}", ended.stderr);
    }
    assert_eq!(
        (folder.names("."), folder.names("used")),
        (vec!["file".into(), "used".into()], vec!["precious".into()])
    );
    // An empty folder may be filled.
    std::fs::create_dir(folder.at("empty")).expect("a folder");
    folder.must(&["-q", "rtl", "-o", "empty"]);
    assert!(folder.names("empty").contains(&"summary.json".to_owned()));
}
