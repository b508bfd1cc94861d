# vivado -mode batch -source gen_xo.tcl -tclargs build/NAME.xo
# Packages the kernel (package_kernel.tcl) and wraps the IP as the .xo file that `v++ --link` takes.
# package_xo derives the kernel's description from the IP's registers; kernel.xml says the same for flows that ask for a
# file (package_xo -kernel_xml kernel.xml).

if {[llength $argv] != 1} {
    error "got [llength $argv] arguments, expected one: the .xo file; call vivado -source gen_xo.tcl -tclargs FILE.xo"
}
set xo_file [file normalize [lindex $argv 0]]
set script_folder [file dirname [file normalize [info script]]]
set ip_folder [file join [file dirname $xo_file] ip]
file mkdir $ip_folder

source [file join $script_folder package_kernel.tcl]
package_xo -force -xo_path $xo_file -kernel_name $kernel -ip_directory $ip_folder -ctrl_protocol ap_ctrl_hs
